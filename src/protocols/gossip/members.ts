import type { Endpoint } from './endpoint.ts';
import type { Versions } from './messages.ts';
import type { State } from './stream.ts';

/** Chance as an argument: uniform in [0, 1). */
export interface Random {
  next(): number;
}

/** What is known about one member. */
export interface Member {
  readonly name: string;
  readonly at: Endpoint;
  readonly state: State;
  /** Counts how often the member spoke for itself; what is said about an earlier one is void. */
  readonly incarnation: number;
  /** When the state changed. */
  readonly since: number;
  readonly meta: Uint8Array;
  readonly versions: Versions;
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A member as the machine keeps it. */
export interface Entry extends Mutable<Member> {
  /** When it last answered us; -Infinity: never. */
  heard: number;
  /** The other side of the last conflict about its name that was told. */
  conflict: string | undefined;
}

/** Alive or suspected: it takes part. */
export function takesPart({ state }: Member): boolean {
  return state === 'alive' || state === 'suspect';
}

/** All that are known, this member among them, and the order in which they are probed. */
export class Members {
  readonly #byName = new Map<string, Entry>();
  readonly #random: Random;
  /** Shuffled once per round, so that nobody is probed by all at the same time. */
  #order: Entry[] = [];
  #turn = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** How many take part. */
  get live(): number {
    let count = 0;
    for (const member of this.#order) if (takesPart(member)) count++;
    return count;
  }

  get(name: string): Entry | undefined {
    return this.#byName.get(name);
  }

  all(): readonly Entry[] {
    return this.#order;
  }

  /** At a random place of the round, so that a new member is not always the last to be probed. */
  add(member: Entry): void {
    this.#byName.set(member.name, member);
    const at = Math.floor(this.#random.next() * (this.#order.length + 1));
    this.#order.splice(at, 0, member);
  }

  /** The next in turn for which `wanted` holds; undefined: none. At the end of a round those of `gone` are removed. */
  next(wanted: (member: Entry) => boolean, gone: (member: Entry) => boolean): Entry | undefined {
    for (let checked = this.#order.length; checked > 0; checked--) {
      if (this.#turn >= this.#order.length) this.#newRound(gone);
      const member = this.#order[this.#turn++];
      if (member && wanted(member)) return member;
    }
    return undefined;
  }

  /** Up to `count` of those for which `wanted` holds, by chance. */
  pick(count: number, wanted: (member: Entry) => boolean): Entry[] {
    const found = this.#order.filter(wanted);
    for (let i = 0; i < Math.min(count, found.length); i++) {
      const j = i + Math.floor(this.#random.next() * (found.length - i));
      const [a, b] = [found[i], found[j]];
      if (a && b) [found[i], found[j]] = [b, a];
    }
    return found.slice(0, count);
  }

  #newRound(gone: (member: Entry) => boolean): void {
    this.#turn = 0;
    this.#order = this.#order.filter((member) => {
      const stays = !gone(member);
      if (!stays) this.#byName.delete(member.name);
      return stays;
    });
    this.#order = this.pick(this.#order.length, () => true);
  }
}
