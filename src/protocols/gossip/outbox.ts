import type { Endpoint } from './endpoint.ts';
import type { Change, Drop } from './events.ts';

/** Names a stream. The machine names those that it dials, its user those that it accepts, apart from each other. */
export type StreamId = string;

/** A stream to open. Its answer is given to `heard`; it is closed at the deadline or by a hang-up. */
export interface Dial {
  readonly stream: StreamId;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
  readonly deadline: number;
}

/** What the machine wants to be done after an event. */
export interface Output {
  readonly packets: readonly { readonly to: Endpoint; readonly bytes: Uint8Array }[];
  readonly dials: readonly Dial[];
  readonly replies: readonly { readonly stream: StreamId; readonly bytes: Uint8Array }[];
  /** To be closed once all that was given is written. */
  readonly hangUps: readonly StreamId[];
  readonly changes: readonly Change[];
  readonly drops: readonly Drop[];
  /** When `tick` is wanted, unless something comes in before. */
  readonly wake: number;
}

type Collected = { -readonly [K in keyof Omit<Output, 'wake'>]: Output[K][number][] };

/** Collects what one event leads to. */
export class Outbox {
  #all = empty();

  packet(to: Endpoint, bytes: Uint8Array): void {
    this.#all.packets.push({ to, bytes });
  }
  dial(dial: Dial): void {
    this.#all.dials.push(dial);
  }
  reply(stream: StreamId, bytes: Uint8Array): void {
    this.#all.replies.push({ stream, bytes });
  }
  hangUp(stream: StreamId): void {
    this.#all.hangUps.push(stream);
  }
  change(change: Change): void {
    this.#all.changes.push(change);
  }
  drop(drop: Drop): void {
    this.#all.drops.push(drop);
  }

  take(wake: number): Output {
    const all = this.#all;
    this.#all = empty();
    return { ...all, wake };
  }
}

function empty(): Collected {
  return { packets: [], dials: [], replies: [], hangUps: [], changes: [], drops: [] };
}
