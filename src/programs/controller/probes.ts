import { randomUUID } from 'node:crypto';
import { kubeTime, withCondition } from '../../domain/api/conditions.ts';
import { type AddressProbe, AddressProbes, MAX_PROBED } from '../../domain/api/herald.ts';
import { apiVersion } from '../../domain/api/object.ts';
import { isNotFound } from '../../platform/kube/client.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Reflector } from '../../platform/kube/reflector.ts';
import { type Resource, resource } from '../../platform/kube/resource.ts';
import type { Timer } from '../../platform/obs/clock.ts';
import type { Doors } from './doors.ts';
import { lines } from './events.ts';
import { type Found, foundText, outcome, overall } from './probe-result.ts';

/** Marks the probes that the controller makes and deletes. */
const OWN = { 'app.kubernetes.io/managed-by': 'herald-controller' } as const;
const WAIT_S = 2;
/** Beyond a probe's own wait: for the API server, and for us. */
const LATE_MS = 1_000;
/** Addresses that are asked for within so many milliseconds share a probe. */
const GATHER_MS = 10;

interface Wish {
  readonly address: string;
  readonly resolve: (found: Found) => void;
}

/** A probe of ours that is under way. */
interface Open {
  readonly wishes: readonly Wish[];
  readonly timer: Timer;
}

/** Says what came of AddressProbes, and makes some itself. */
export class Probes {
  readonly #doors: Doors;
  readonly #cache: Reflector<AddressProbe>;
  readonly #resource: Resource<AddressProbe>;
  readonly #queue: Queue;
  /** When a probe was first seen, and its first answer, by uid; until it is over. */
  readonly #seen = new Map<string, { readonly at: number; answered?: number }>();
  readonly #open = new Map<string, Open>();
  #gathered: Wish[] = [];
  #gathering: Timer | undefined;
  #closed = false;

  constructor(o: { doors: Doors; cache: Reflector<AddressProbe> }) {
    this.#doors = o.doors;
    this.#cache = o.cache;
    const { client, clock, random, log } = o.doors;
    this.#resource = resource(client, AddressProbes);
    this.#queue = new Queue({
      clock,
      random,
      concurrency: 4,
      log: log.child({ op: 'probe' }),
      run: (key) => this.#run(key),
    });
    o.cache.onChange((key) => this.#queue.add(key));
    this.#queue.start();
  }

  /** Asks the speakers about an address, within a bounded time. What cannot be asked is Unknown. */
  ask(address: string): Promise<Found> {
    if (this.#closed) return Promise.resolve({ address, result: 'Unknown' });
    const answer = new Promise<Found>((resolve) => this.#gathered.push({ address, resolve }));
    if (this.#gathered.length >= MAX_PROBED) this.#begin();
    else this.#gathering ??= this.#doors.clock.after(GATHER_MS, () => this.#begin());
    return answer;
  }

  /** What is under way is Unknown. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#gathering?.cancel();
    for (const wish of this.#gathered.splice(0)) unknown(wish);
    const names = [...this.#open.keys()];
    for (const name of names) this.#end(name, []);
    await this.#queue.close();
    await Promise.allSettled(names.map((name) => this.#delete(name)));
  }

  #begin(): void {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    const wishes = this.#gathered.splice(0);
    const name = `before-use-${randomUUID().slice(0, 18)}`;
    const { clock, namespace, fieldManager, grace, log } = this.#doors;
    const timer = clock.after(WAIT_S * 1_000 + LATE_MS, () => this.#end(name, []));
    this.#open.set(name, { wishes, timer });
    const body = {
      apiVersion: apiVersion(AddressProbes),
      kind: AddressProbes.kind,
      metadata: { name, namespace, labels: OWN },
      spec: { addresses: [...new Set(wishes.map(({ address }) => address))], waitSeconds: WAIT_S },
    };
    this.#resource.create(body, { fieldManager, signal: grace }).catch((error: unknown) => {
      log.warn({ op: 'probe', error }, lines.notProbed);
      this.#end(name, []);
    });
  }

  async #run(key: string): Promise<void> {
    const probe = this.#cache.store.get(key);
    if (!probe || probe.status?.result !== undefined) {
      if (probe) this.#seen.delete(probe.metadata.uid);
      return;
    }
    const { uid, name } = probe.metadata;
    const ours =
      probe.metadata.labels['app.kubernetes.io/managed-by'] === OWN['app.kubernetes.io/managed-by'];
    if (ours && !this.#open.has(name)) {
      // Ended, or of a leader before.
      await this.#delete(name);
      return;
    }
    const now = this.#doors.clock.now();
    const seen = this.#seen.get(uid) ?? { at: now };
    this.#seen.set(uid, seen);
    if ((probe.status?.answers ?? []).length > 0) seen.answered ??= now - seen.at;
    const end = outcome(probe, { waited: now - seen.at, answeredAfter: seen.answered });
    if ('until' in end) {
      this.#queue.addAfter(key, Math.max(1, end.until - (now - seen.at)));
      return;
    }
    this.#seen.delete(uid);
    if (ours) {
      this.#end(name, end.found);
      await this.#delete(name);
    } else await this.#tell(probe, end.found);
  }

  #end(name: string, found: readonly Found[]): void {
    const open = this.#open.get(name);
    if (!open) return;
    this.#open.delete(name);
    open.timer.cancel();
    const byAddress = new Map(found.map((one) => [one.address, one]));
    for (const wish of open.wishes) {
      const one = byAddress.get(wish.address);
      if (one) wish.resolve(one);
      else unknown(wish);
    }
  }

  async #tell({ metadata, status }: AddressProbe, found: readonly Found[]): Promise<void> {
    const { clock, fieldManager, grace } = this.#doors;
    const result = overall(found);
    const condition = {
      type: 'Complete',
      status: 'True' as const,
      reason: result,
      message: found.map(foundText).join('; '),
      observedGeneration: metadata.generation,
    };
    const body = {
      status: {
        observedGeneration: metadata.generation,
        result,
        macs: [
          ...new Set(found.flatMap((one) => (one.result === 'Taken' ? one.by.map(({ mac }) => mac) : []))),
        ],
        conditions: withCondition(status?.conditions ?? [], condition, kubeTime(clock.date())),
      },
    };
    const { name, namespace = '' } = metadata;
    try {
      const options = { subresource: 'status', fieldManager, signal: grace } as const;
      await this.#resource.mergePatch({ name, namespace }, body, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #delete(name: string): Promise<void> {
    const { namespace, grace: signal } = this.#doors;
    return this.#resource.delete({ name, namespace }, { signal });
  }
}

function unknown({ address, resolve }: Wish): void {
  resolve({ address, result: 'Unknown' });
}
