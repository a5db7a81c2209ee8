import { COMPONENT_TYPE, LOST_INTERFACES, NODE_NAME } from '../../../domain/api/annotations.ts';
import {
  ADDRESS_CONFLICT,
  type Condition,
  findCondition,
  INTERFACE_LOST,
  kubeTime,
  withCondition,
} from '../../../domain/api/conditions.ts';
import { type ConfigurationState, ConfigurationStates } from '../../../domain/api/metallb.ts';
import { apiVersion, keyOf, type OwnerReference } from '../../../domain/api/object.ts';
import { type Problem, problemText } from '../../../domain/api/problem.ts';
import { isAlreadyExists } from '../../../platform/kube/client.ts';
import { Queue } from '../../../platform/kube/queue.ts';
import { type Resource, resource } from '../../../platform/kube/resource.ts';
import type { Timer } from '../../../platform/obs/clock.ts';
import type { SpeakerOptions } from '../options.ts';
import { type Parts, type Sources, stateName } from '../sources.ts';
import type { Owner } from './owner.ts';

const WRITE = { fieldManager: 'herald-speaker' } as const;
/** Upstream's condition type and reasons. */
const CONDITION = 'configReconcilerValid';
/** The API server's limit on a condition's message is 32768; nobody reads further than this. */
const LONGEST_MESSAGE = 8_192;
/** What happens to interfaces is written when the addresses have moved, and a cable that comes and goes is no flood of writes. */
const SETTLED_MS = 1_000;
const PAUSE_MS = 10_000;

/** A condition that is absent until the first time that there is a line about it. */
interface Finding {
  readonly type: string;
  /** Of True and of False. */
  readonly reasons: readonly [string, string];
  readonly lines: () => readonly string[];
}

export interface StateOptions extends Parts {
  readonly options: SpeakerOptions;
  readonly sources: {
    readonly state: Pick<Sources['state'], 'synced' | 'whenSynced' | 'onChange'> & {
      readonly store: Pick<Sources['state']['store'], 'get'>;
    };
  };
  readonly owner: Owner;
  readonly problems: () => readonly Problem[];
  /** One line for each address that another host has, too. */
  readonly conflicts: () => readonly string[];
  readonly lost: () => Lost;
}

/** Interfaces that are lost: a line about each for people, and `writeLosses` of them for elections. */
export interface Lost {
  readonly lines: readonly string[];
  /** Absent: there are none. */
  readonly text?: string;
}

/** Says in a ConfigurationState whether this node could take the configuration. Written only when something differs. */
export class State {
  readonly #o: StateOptions;
  readonly #resource: Resource<ConfigurationState>;
  readonly #queue: Queue;
  readonly #name: string;
  readonly #findings: readonly Finding[];
  /** What is told of lost interfaces, since when, and the timer that makes it what it is. */
  #lost: Lost = { lines: [] };
  #lossesAt = Number.NEGATIVE_INFINITY;
  #lossesTimer: Timer | undefined;

  constructor(o: StateOptions) {
    this.#o = o;
    this.#name = stateName(o.options.node);
    this.#resource = resource(o.client, ConfigurationStates);
    this.#findings = [
      { type: ADDRESS_CONFLICT, reasons: ['TwoOwners', 'OneOwner'], lines: o.conflicts },
      { type: INTERFACE_LOST, reasons: ['CannotAnswer', 'AllWork'], lines: () => this.#lost.lines },
    ];
    this.#queue = new Queue({
      ...o,
      log: o.log.child({ op: 'configurationstate' }),
      run: (_, signal) => this.#run(signal),
    });
    // Somebody deleted or edited it.
    o.sources.state.onChange(() => this.look());
  }

  /** The problems may be others than before. */
  look(): void {
    this.#queue.add(this.#name);
  }

  /** Interfaces are lost, or back. */
  lookAtLosses(): void {
    const { clock, lost } = this.#o;
    if (this.#lossesTimer || JSON.stringify(lost()) === JSON.stringify(this.#lost)) return;
    const wait = Math.max(SETTLED_MS, this.#lossesAt + PAUSE_MS - clock.now());
    this.#lossesTimer = clock.after(wait, () => {
      this.#lossesTimer = undefined;
      this.#lossesAt = clock.now();
      this.#lost = lost();
      this.look();
    });
  }

  /** Not before the first Config was read. */
  start(): void {
    this.#queue.start();
    this.look();
  }

  close(): Promise<void> {
    this.#lossesTimer?.cancel();
    return this.#queue.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { sources, options } = this.#o;
    if (!sources.state.synced) await sources.state.whenSynced(signal);
    const at = { name: this.#name, namespace: options.namespace };
    const metadata = await this.#metadata(signal);
    const present =
      sources.state.store.get(keyOf({ metadata: at })) ?? (await this.#create(metadata, signal));
    if (!present) return;
    if (!sameMetadata(present, metadata))
      await this.#resource.mergePatch(at, { metadata }, { ...WRITE, signal });
    const status = this.#status(present.status?.conditions ?? []);
    if (JSON.stringify(present.status ?? {}, sorted) !== JSON.stringify(status, sorted)) {
      await this.#resource.mergePatch(at, { status }, { ...WRITE, subresource: 'status', signal });
    }
  }

  async #metadata(signal: AbortSignal): Promise<Metadata> {
    const owner = await this.#o.owner(signal);
    return {
      labels: { [COMPONENT_TYPE]: 'speaker', [NODE_NAME]: this.#o.options.node },
      annotations: { [LOST_INTERFACES]: this.#lost.text ?? null },
      ownerReferences: owner ? [owner] : [],
    };
  }

  /** Without annotations. Undefined when it exists already and is only not seen yet. */
  async #create(
    { labels, ownerReferences }: Metadata,
    signal: AbortSignal,
  ): Promise<ConfigurationState | undefined> {
    const metadata = { name: this.#name, namespace: this.#o.options.namespace, labels, ownerReferences };
    const head = { apiVersion: apiVersion(ConfigurationStates), kind: ConfigurationStates.kind };
    try {
      return await this.#resource.create({ ...head, metadata }, { ...WRITE, signal });
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  }

  #status(before: readonly Condition[]) {
    const problems = this.#o.problems();
    const message = problems.map(problemText).join('\n').slice(0, LONGEST_MESSAGE);
    const valid = problems.length === 0;
    const condition = {
      type: CONDITION,
      status: valid ? ('True' as const) : ('False' as const),
      reason: valid ? 'Reconciled' : 'ConfigurationError',
      message,
    };
    const now = kubeTime(this.#o.clock.date());
    return {
      conditions: this.#withFindings(withCondition(before, condition, now), now),
      errorSummary: message,
      result: valid ? 'Valid' : 'Invalid',
    };
  }

  #withFindings(conditions: readonly Condition[], now: string): readonly Condition[] {
    return this.#findings.reduce((list, { type, reasons, lines: linesOf }) => {
      const lines = linesOf();
      if (lines.length === 0 && !findCondition(list, type)) return list;
      const message = lines.join('\n').slice(0, LONGEST_MESSAGE);
      const [found, none] = reasons;
      const verdict =
        lines.length > 0
          ? ({ status: 'True', reason: found } as const)
          : ({ status: 'False', reason: none } as const);
      return withCondition(list, { type, ...verdict, message }, now);
    }, conditions);
  }
}

interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  /** null: it is not to be there. */
  readonly annotations: Readonly<Record<string, string | null>>;
  readonly ownerReferences: readonly OwnerReference[];
}

function sameMetadata({ metadata }: ConfigurationState, wanted: Metadata): boolean {
  const owners = (list: readonly OwnerReference[]) => list.map(({ uid }) => uid).join();
  return (
    owners(metadata.ownerReferences ?? []) === owners(wanted.ownerReferences) &&
    Object.entries(wanted.labels).every(([name, value]) => metadata.labels[name] === value) &&
    Object.entries(wanted.annotations).every(
      ([name, value]) => (metadata.annotations[name] ?? null) === value,
    )
  );
}

/** Objects with their fields in order, so that equal ones have equal text. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
