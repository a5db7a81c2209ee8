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

type List<K extends keyof Output> = Output[K] extends readonly (infer T)[] ? T[] : never;

/** Collects what one event leads to. Most lead to one packet, or to nothing: lists are made when there is something for them. */
export class Outbox {
  #packets: List<'packets'> | undefined;
  #dials: List<'dials'> | undefined;
  #replies: List<'replies'> | undefined;
  #hangUps: List<'hangUps'> | undefined;
  #changes: List<'changes'> | undefined;
  #drops: List<'drops'> | undefined;

  packet(to: Endpoint, bytes: Uint8Array): void {
    this.#packets ??= [];
    this.#packets.push({ to, bytes });
  }
  dial(dial: Dial): void {
    this.#dials ??= [];
    this.#dials.push(dial);
  }
  reply(stream: StreamId, bytes: Uint8Array): void {
    this.#replies ??= [];
    this.#replies.push({ stream, bytes });
  }
  hangUp(stream: StreamId): void {
    this.#hangUps ??= [];
    this.#hangUps.push(stream);
  }
  change(change: Change): void {
    this.#changes ??= [];
    this.#changes.push(change);
  }
  drop(drop: Drop): void {
    this.#drops ??= [];
    this.#drops.push(drop);
  }

  take(wake: number): Output {
    const out: Output = {
      packets: this.#packets ?? NONE,
      dials: this.#dials ?? NONE,
      replies: this.#replies ?? NONE,
      hangUps: this.#hangUps ?? NONE,
      changes: this.#changes ?? NONE,
      drops: this.#drops ?? NONE,
      wake,
    };
    this.#packets = this.#dials = this.#replies = undefined;
    this.#hangUps = this.#changes = this.#drops = undefined;
    return out;
  }
}

const NONE: readonly never[] = Object.freeze([]);
