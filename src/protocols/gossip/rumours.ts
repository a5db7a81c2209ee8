import { PART_OVERHEAD } from './packet.ts';

interface Rumour {
  readonly about: string;
  readonly bytes: Uint8Array;
  told: number;
}

/** What is to be told on, the least told first; about each member only the latest. */
export class Rumours {
  readonly #all = new Map<string, Rumour>();

  get size(): number {
    return this.#all.size;
  }

  /** Whether something is being told about the member. */
  has(about: string): boolean {
    return this.#all.has(about);
  }

  add(about: string, bytes: Uint8Array): void {
    // Again at the end of the map: among equally often told ones the newest goes first.
    this.#all.delete(about);
    this.#all.set(about, { about, bytes, told: 0 });
  }

  /** Those that fit into `room` bytes, of which each now counts as told once more; at `limit` it is dropped. */
  take(room: number, limit: number): readonly Uint8Array[] {
    const order = [...this.#all.values()].reverse().sort((a, b) => a.told - b.told);
    const taken: Uint8Array[] = [];
    let left = room;
    for (const rumour of order) {
      const size = rumour.bytes.length + PART_OVERHEAD;
      if (size > left) continue;
      left -= size;
      taken.push(rumour.bytes);
      rumour.told++;
      if (rumour.told >= limit) this.#all.delete(rumour.about);
    }
    return taken;
  }
}

/** How often a rumour is told in a ring of so many members. */
export function retransmitLimit(mult: number, members: number): number {
  return mult * Math.ceil(Math.log10(members + 1));
}
