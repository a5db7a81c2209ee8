import { EventRecorder, type EventText } from '../../platform/kube/events.ts';
import { paced } from '../../platform/kube/paced.ts';
import { endpointText } from '../../protocols/gossip/endpoint.ts';
import type { Configuration } from './configuration.ts';
import { aboutNode, aboutService, EVENT } from './events.ts';
import type { Layer2 } from './layer2.ts';
import type { Loop } from './loop.ts';
import type { SpeakerOptions } from './options.ts';
import type { Conflict } from './ring/ring.ts';
import type { Parts, Sources } from './sources.ts';
import { ownPod } from './status/owner.ts';
import { State } from './status/state.ts';
import { Statuses } from './status/statuses.ts';
import { Unrest } from './status/unrest.ts';

/** A thousand Services that change hands bring two Events each; the addresses come first. */
const EVENTS_AFTER_MS = 1_000;
/**
 * Events and status objects of all moves together. A thousand Services that move lead to four thousand requests; as fast as they can be
 * made, they would keep the API server, and this process, busy for seconds, in which the next addresses may have to move.
 */
const PACE = { qps: 50, burst: 20, concurrency: 2 } as const;

export interface ReportsOptions extends Parts {
  readonly options: SpeakerOptions;
  readonly sources: Sources;
  readonly configuration: Pick<Configuration, 'problems'>;
  /** Not asked before all is made, as the next one. */
  readonly loop: () => Pick<Loop, 'duty'>;
  readonly layer2: () => Pick<Layer2, 'conflicts' | 'lost'>;
}

/** What the API server is told: Events, and objects that say how things stand. */
export class Reports {
  readonly recorder: EventRecorder;
  readonly #sources: Sources;
  readonly #statuses: Statuses;
  readonly #state: State;
  readonly #unrest: Unrest;

  constructor(o: ReportsOptions) {
    const { options, sources, configuration, loop, layer2 } = o;
    const owner = ownPod(o.client, options);
    const unrest = new Unrest(o.clock);
    this.#unrest = unrest;
    const rest = (signal: AbortSignal | undefined) => unrest.rest(signal);
    const common = { ...o, client: paced(o.client, { ...PACE, clock: o.clock, rest }) };
    this.#sources = sources;
    this.recorder = new EventRecorder({
      ...common,
      component: 'metallb-speaker',
      instance: options.node,
      afterMs: EVENTS_AFTER_MS,
    });
    this.#statuses = new Statuses({ ...common, owner, duty: (key) => loop().duty(key) });
    // Not paced: it is one object, and must not wait for those of a thousand Services.
    this.#state = new State({
      ...o,
      owner,
      problems: () => configuration.problems,
      conflicts: () => layer2().conflicts,
      lost: () => layer2().lost,
    });
  }

  /** Objects are written from now on. Not before the first decisions about all Services. */
  start(): void {
    this.#state.start();
    this.#statuses.start();
  }

  /** The Service is announced otherwise than before. */
  lookAtService(key: string): void {
    this.#unrest.stir();
    this.#statuses.add(key);
  }

  /** Problems or conflicts may be others than before. */
  lookAtNode(): void {
    this.#state.look();
  }

  /** Interfaces are lost, or back. */
  lookAtLosses(): void {
    this.#state.lookAtLosses();
  }

  /** An Event on the Service "namespace/name", if it is there still. */
  tell(key: string, event: EventText): void {
    const service = this.#sources.services.store.get(key);
    if (service) this.recorder.record(aboutService(service), event);
  }

  /** Another speaker says that it is this node's. */
  tellOfRival({ name, known, other, late }: Conflict): void {
    const node = this.#sources.nodes.store.get(name);
    if (!node) return;
    const [here, there] = [known, other].map(endpointText);
    const what = late ? `announces nothing while that one is there` : 'stays';
    const message = `another speaker, at ${there}, claims to be that of this node; the one at ${here} ${what}`;
    this.recorder.record(aboutNode(node), { type: 'Warning', reason: EVENT.nameConflict, message });
  }

  /** Resolves when the Events that wait are sent. */
  flush(): Promise<void> {
    this.#unrest.end();
    return this.recorder.flush();
  }

  async close(): Promise<void> {
    this.#unrest.end();
    await Promise.all([this.#statuses.close(), this.#state.close(), this.recorder.close()]);
  }
}
