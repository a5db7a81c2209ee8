import { nextDue, takeDue } from './due.ts';

/** How often, and how patiently, owners are asked for their addresses. */
export interface CheckTiming {
  /** Shortest time from one check of an address to the next. */
  readonly leastMs: number;
  /** Questions a second on the whole link; with many addresses each is asked for less often. */
  readonly perSecond: number;
  /** Questions without an answer before an address counts as silent, and the pause between them. */
  readonly asks: number;
  readonly retryMs: number;
}

export const CHECK_TIMING: CheckTiming = { leastMs: 10_000, perSecond: 50, asks: 3, retryMs: 1_000 };

/** What is to be done, or was found, about an address, by name. */
export type CheckStep =
  | { readonly step: 'ask'; readonly name: string; readonly owner: string }
  /** Nobody answers, although its owner has been heard on this link: once until it is back. `mac`: where the owner was. */
  | { readonly step: 'silent'; readonly name: string; readonly owner: string; readonly mac: string }
  | { readonly step: 'back'; readonly name: string; readonly owner: string }
  /** Two hosts answered, twice in a row: at a hand-over two do for a moment. Once until one of them is left. */
  | { readonly step: 'two'; readonly name: string; readonly owner: string; readonly macs: readonly string[] };

interface Entry {
  readonly owner: string;
  due: number;
  /** Questions of this check that nobody has answered. */
  asked: number;
  /** Who answered in this check, each once. */
  macs: readonly string[];
  /** Checks in a row that two answered. */
  doubled: number;
  silentAt: string | undefined;
}

const NOBODY: readonly string[] = Object.freeze([]);

/**
 * Which node checks an address: one of the live ones beside its owner, the same in the eyes of all, and each about as many.
 * Undefined when there is no other.
 */
export function checkerOf(name: string, owner: string, nodes: readonly string[]): string | undefined {
  let best: string | undefined;
  let most = -1;
  for (const node of nodes) {
    if (node === owner) continue;
    const weight = mix(`${node}#${name}`);
    if (weight > most || (weight === most && best !== undefined && node < best))
      [best, most] = [node, weight];
  }
  return best;
}

/** FNV-1a, and the last rounds of MurmurHash3, so that names that end alike spread. */
function mix(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Asks at a slow rate whether other nodes still answer for their addresses: what an owner cannot see itself. Who was never
 * heard on this link is on another one, and silent for no reason of its own. Times are milliseconds of one clock.
 */
export class Checks {
  readonly #timing: CheckTiming;
  #entries = new Map<string, Entry>();
  /** Where each owner was heard last. */
  readonly #heard = new Map<string, string>();
  #everyMs: number;

  constructor(timing: CheckTiming = CHECK_TIMING) {
    this.#timing = timing;
    this.#everyMs = timing.leastMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The addresses that this node checks, with their owners; `total`: how many all nodes check. */
  follow(mine: ReadonlyMap<string, string>, total: number, now: number): void {
    const { leastMs, perSecond } = this.#timing;
    this.#everyMs = Math.max(leastMs, (total / perSecond) * 1_000);
    const entries = new Map<string, Entry>();
    for (const [name, owner] of mine) {
      const known = this.#entries.get(name);
      entries.set(name, known?.owner === owner ? known : this.#fresh(name, owner, now));
    }
    this.#entries = entries;
  }

  #fresh(name: string, owner: string, now: number): Entry {
    const due = now + (mix(name) / 0x1_0000_0000) * this.#everyMs;
    return { owner, due, asked: 0, macs: NOBODY, doubled: 0, silentAt: undefined };
  }

  /** The address has another owner than the last `follow` said. */
  forget(name: string): void {
    this.#entries.delete(name);
  }

  /** MACs at which owners were heard and are no longer. */
  unheard(): ReadonlySet<string> {
    return new Set([...this.#entries.values()].flatMap(({ silentAt }) => silentAt ?? []));
  }

  /** Somebody answers for an address. */
  heard(name: string, mac: string): readonly CheckStep[] {
    const entry = this.#entries.get(name);
    if (!entry) return [];
    entry.asked = 0;
    if (!entry.macs.includes(mac)) entry.macs = [...entry.macs, mac];
    this.#heard.set(entry.owner, mac);
    if (entry.silentAt === undefined) return [];
    entry.silentAt = undefined;
    return [{ step: 'back', name, owner: entry.owner }];
  }

  /** What is due; for at most `most` addresses. */
  take(now: number, most: number): readonly CheckStep[] {
    return takeDue(this.#entries, { now, most }, (name, entry) => this.#due(name, entry, now));
  }

  /** When `take` has something to give; undefined: there is nothing to check. */
  get next(): number | undefined {
    return nextDue(this.#entries);
  }

  #due(name: string, entry: Entry, now: number): readonly CheckStep[] {
    const { asks, retryMs } = this.#timing;
    const { owner } = entry;
    const steps: CheckStep[] = [];
    if (entry.macs.length > 0) {
      entry.doubled = entry.macs.length > 1 ? entry.doubled + 1 : 0;
      if (entry.doubled === 2) steps.push({ step: 'two', name, owner, macs: [...entry.macs].sort() });
      entry.macs = NOBODY;
      // Answered: the next check comes in its turn; one that two answered is made again at once.
      if (entry.doubled !== 1) {
        entry.due = now + this.#everyMs - retryMs;
        return steps;
      }
    }
    if (entry.asked >= asks) {
      entry.asked = 0;
      const silent = this.#silent(name, entry);
      // Whether it is back is looked at more often.
      entry.due = now + (entry.silentAt === undefined ? this.#everyMs : this.#timing.leastMs);
      return [...steps, ...silent];
    }
    entry.asked++;
    entry.due = now + retryMs;
    return [...steps, { step: 'ask', name, owner }];
  }

  #silent(name: string, entry: Entry): readonly CheckStep[] {
    const mac = this.#heard.get(entry.owner);
    if (mac === undefined || entry.silentAt !== undefined) return [];
    entry.silentAt = mac;
    return [{ step: 'silent', name, owner: entry.owner, mac }];
  }
}
