import type { Config } from '../../../domain/config/config.ts';
import { type Losses, lossesWire, writeLosses, writeNotice } from '../../../domain/election/notice.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import type { Clock, Timer } from '../../../platform/obs/clock.ts';
import type { Log } from '../../../platform/obs/log.ts';
import { LOG } from '../events.ts';
import type { Exclusion } from './interfaces.ts';
import { InterfaceHistory, lossLines, presentOn } from './losses.ts';
import { Sending } from './sending.ts';

export interface StandingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly excluded: Exclusion;
  /** The one in force; undefined until there is one. */
  readonly config: () => Config | undefined;
  readonly heedsCordon: () => boolean;
  /** The others are to be told so; the first call comes with the first look. */
  readonly onChange: (meta: Uint8Array, nowhere: boolean) => void;
}

const NOTHING_LOST = JSON.stringify('');

/** What this node can still answer on, as a notice for the others. */
export class Standing {
  readonly #o: StandingOptions;
  readonly #log: Log;
  readonly #history = new InterfaceHistory();
  readonly #sending = new Sending();
  #links: ReadonlyMap<number, Link> = new Map();
  #excluded: Exclusion;
  #losses: Losses | undefined;
  #muted: ReadonlySet<string> = new Set();
  #unheard: readonly string[] = [];
  /** What the others know. */
  #told: { readonly losses: string; readonly heedsCordon: boolean; readonly unheard: string } | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(o: StandingOptions) {
    this.#o = o;
    this.#log = o.log.child({ op: 'standing' });
    this.#excluded = o.excluded;
  }

  /** No interface is left on which this node could answer, of those it once had. */
  get nowhere(): boolean {
    return this.#losses?.nowhere ?? false;
  }

  /** What is lost: a line about each interface for people, and the text of it for elections. */
  get lost(): { readonly lines: readonly string[]; readonly text?: string } {
    if (!this.#losses) return { lines: [] };
    const lines = lossLines(this.#losses, { links: this.#links.values(), muted: this.#muted });
    return { lines, text: writeLosses(this.#losses) };
  }

  setLinks(links: ReadonlyMap<number, Link>): void {
    const carriers = new Set([...links.values()].filter(({ carrier }) => carrier).map(({ name }) => name));
    // Another cable, another chance.
    for (const { name } of this.#links.values()) if (!carriers.has(name)) this.#sending.forget(name);
    this.#links = links;
    this.look();
  }

  setExcluded(excluded: Exclusion): void {
    this.#excluded = excluded;
    this.#history.forget(excluded);
    this.look();
  }

  /** A frame could not be sent on an interface; or one could, after others that could not. */
  sent(name: string, well: boolean): void {
    const differs = well ? this.#sending.succeeded(name) : this.#sending.failed(this.#o.clock.now(), name);
    if (!differs) return;
    if (!well) this.#log.error({ interface: name }, LOG.nothingLeaves);
    this.look();
  }

  /** Others hear nothing from an interface, although frames leave. It counts as lost for a while. */
  interfaceSilent(name: string): void {
    if (!this.#sending.unheard(this.#o.clock.now(), name)) return;
    this.#log.error({ interface: name }, LOG.nothingHeard);
    this.look();
  }

  /** The others are to know at which MACs nobody is heard any more. */
  setUnheard(macs: readonly string[]): void {
    this.#unheard = macs;
    this.look();
  }

  /** Links, time or the Config may be others than before. */
  look(): void {
    if (this.#closed) return;
    const now = this.#o.clock.now();
    this.#muted = this.#sending.muted(now);
    const present = presentOn(this.#links.values(), { excluded: this.#excluded, muted: this.#muted });
    const config = this.#o.config();
    this.#losses = this.#history.look(now, present, {
      named: new Set(config?.l2.flatMap(({ interfaces }) => interfaces)),
      ranges: [...(config?.pools.values() ?? [])].flatMap(({ ranges }) => ranges),
    });
    this.#tell();
    this.#timer?.cancel();
    const next = Math.min(this.#history.next, this.#sending.next);
    if (Number.isFinite(next)) this.#timer = this.#o.clock.after(next - now, () => this.look());
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #tell(): void {
    const losses = this.#losses;
    const heedsCordon = this.#o.heedsCordon();
    const { bytes, whole } = writeNotice({ heedsCordon, unheard: this.#unheard, ...(losses && { losses }) });
    const unheard = this.#unheard.join();
    const wire = losses && lossesWire(losses);
    const text = JSON.stringify(wire ?? '');
    const before = this.#told;
    if (text === before?.losses && heedsCordon === before.heedsCordon && unheard === before.unheard) return;
    this.#told = { losses: text, heedsCordon, unheard };
    if (text !== (before?.losses ?? NOTHING_LOST)) {
      if (wire) this.#log.warn({ ...wire, told: whole ? 'all' : 'not all' }, LOG.interfacesLost);
      else this.#log.info({}, LOG.interfacesBack);
    }
    this.#o.onChange(bytes, this.nowhere);
  }
}
