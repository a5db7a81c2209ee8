import type { About, EventRecorder, EventText } from '../../platform/kube/events.ts';

/** Writes under way from which on a burst is assumed: single changes never reach it. */
const MANY = 8;
/** Events kept back in a burst; the recorder would not take more at once either. */
const KEPT = 1_000;

/**
 * Keeps Events back while many statuses are being written: an Event costs the API server as much as a status, and in a burst
 * Services wait for theirs. Afterwards the first of them are told.
 */
export class Teller {
  readonly #events: Pick<EventRecorder, 'record'>;
  readonly #kept: { about: About; event: EventText }[] = [];
  #writes = 0;

  constructor(events: Pick<EventRecorder, 'record'>) {
    this.#events = events;
  }

  tell(about: About, event: EventText): void {
    if (this.#writes < MANY) this.#events.record(about, event);
    else if (this.#kept.length < KEPT) this.#kept.push({ about, event });
  }

  /** Counts a write as under way until it has ended, well or not. */
  async during<T>(write: Promise<T>): Promise<T> {
    this.#writes++;
    try {
      return await write;
    } finally {
      this.#writes--;
      if (this.#writes < MANY) for (const { about, event } of this.#kept.splice(0)) this.tell(about, event);
    }
  }
}
