/** Kubernetes Events: what `kubectl describe` shows under an object. Best effort, never in the way of the work. */
import { type Clock, isAbort } from '../obs/clock.ts';
import type { Log } from '../obs/log.ts';
import { isAlreadyExists, isNotFound } from './errors.ts';
import { collectionPath, objectPath } from './paths.ts';
import type { KubeClient } from './ports.ts';

const EVENTS = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

/** The same event within this time counts up instead of making a new object. */
const WINDOW_MS = 600_000;
/** Events that wait to be sent; beyond it the new ones are dropped and counted. */
const PENDING = 1_000;
/** Events remembered for counting up: as many as may wait. Of more at once each tells of something else, such as a move. */
const REMEMBERED = 1_000;
/** The API's own limit on a message. */
const LONGEST_MESSAGE = 1_024;

/** The object that an event is about. */
export interface About {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** UpperCamel, e.g. "AllocationFailed". */
  readonly reason: string;
  /** For people; never with a Secret's content. */
  readonly message: string;
}

interface Known {
  readonly about: About;
  readonly event: EventText;
  readonly name: string;
  readonly namespace: string;
  readonly first: Date;
  last: Date;
  /** Clock time of `last`, for the window. */
  at: number;
  count: number;
  /** The count that the server knows; 0 when it has no such event. */
  sent: number;
}

export interface RecorderOptions {
  readonly client: KubeClient;
  /** e.g. "herald-controller". */
  readonly component: string;
  /** Pod or node name. */
  readonly instance?: string;
  /** The first of several events waits for so long, since what they tell of may need all there is to be done; default 0. */
  readonly afterMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

export class EventRecorder {
  readonly #o: RecorderOptions;
  readonly #log: Log;
  /** By what makes two events the same; in order of use, the oldest first. */
  readonly #known = new Map<string, Known>();
  readonly #pending = new Set<Known>();
  readonly #closing = new AbortController();
  /** Ends the wait before the first of several. */
  #hurry = new AbortController();
  #sending: Promise<void> | undefined;
  #dropped = 0;
  #serial = 0;

  constructor(o: RecorderOptions) {
    this.#o = o;
    this.#log = o.log.child({ op: 'event' });
  }

  /** Queues one event and returns at once; never throws. */
  record(about: About, event: EventText): void {
    if (this.#closing.signal.aborted) return;
    const known = this.#count(about, event);
    if (this.#pending.size >= PENDING && !this.#pending.has(known)) {
      if (this.#dropped++ === 0)
        this.#log.warn({ pending: PENDING }, 'too many events wait, new ones are dropped');
      return;
    }
    this.#pending.add(known);
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Sends at once what waits. Resolves when everything recorded so far was sent or given up. */
  async flush(): Promise<void> {
    while (this.#sending) {
      this.#hurry.abort();
      await this.#sending;
    }
  }

  /** Gives up what is not sent yet; `flush` first where that matters. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#pending.clear();
    await this.flush();
  }

  #count(about: About, event: EventText): Known {
    const { clock } = this.#o;
    const id = JSON.stringify([about.apiVersion, about.kind, about.namespace, about.name, about.uid, event]);
    const now = clock.now();
    const date = clock.date();
    const before = this.#known.get(id);
    this.#known.delete(id);
    const known: Known =
      before && now - before.at < WINDOW_MS
        ? before
        : {
            about,
            event,
            // As client-go: the object's name and the time, here with a serial, as a millisecond is long.
            name: `${about.name.slice(0, 220)}.${date.getTime().toString(16)}${(this.#serial++).toString(16)}`,
            // Events of cluster-scoped objects live in "default".
            namespace: about.namespace ?? 'default',
            first: date,
            last: date,
            at: now,
            count: 0,
            sent: 0,
          };
    known.count++;
    known.last = date;
    known.at = now;
    this.#known.set(id, known);
    if (this.#known.size > REMEMBERED) this.#forgetOldest();
    return known;
  }

  #forgetOldest(): void {
    for (const id of this.#known.keys()) {
      this.#known.delete(id);
      return;
    }
  }

  async #send(): Promise<void> {
    const { clock, afterMs = 0 } = this.#o;
    this.#hurry = new AbortController();
    // record() filled the set in the same step; the rest of that step comes first.
    await (afterMs > 0 ? clock.sleep(afterMs, this.#hurry.signal).catch(() => {}) : Promise.resolve());
    for (const known of this.#pending) {
      this.#pending.delete(known);
      try {
        await this.#write(known);
      } catch (error) {
        if (isAbort(error)) return;
        this.#log.warn(
          { reason: known.event.reason, about: known.about.name, error },
          'event could not be sent',
        );
      }
    }
    if (this.#dropped > 0) this.#log.warn({ dropped: this.#dropped }, 'events were dropped');
    this.#dropped = 0;
  }

  async #write(known: Known): Promise<void> {
    const { client } = this.#o;
    const { signal } = this.#closing;
    const { count, last } = known;
    if (known.sent > 0) {
      try {
        await client.request({
          method: 'PATCH',
          path: objectPath(EVENTS, known),
          contentType: 'application/merge-patch+json',
          body: { count, lastTimestamp: seconds(last) },
          signal,
          retry: true,
        });
        known.sent = count;
        return;
      } catch (e) {
        // It lived out its hour, or somebody removed it: made anew.
        if (!isNotFound(e)) throw e;
      }
    }
    try {
      const path = collectionPath(EVENTS, known.namespace);
      // Safe to repeat, as the name is fixed.
      await client.request({ method: 'POST', path, body: this.#body(known), signal, retry: true });
    } catch (e) {
      if (!isAlreadyExists(e)) throw e;
    }
    known.sent = count;
  }

  #body(known: Known): object {
    const { component, instance } = this.#o;
    const { about, event, name, namespace } = known;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: about,
      type: event.type,
      reason: event.reason,
      message: event.message.slice(0, LONGEST_MESSAGE),
      source: { component, host: instance },
      reportingComponent: component,
      reportingInstance: instance ?? '',
      firstTimestamp: seconds(known.first),
      lastTimestamp: seconds(known.last),
      count: known.count,
    };
  }
}

/** metav1.Time has no fractions. */
function seconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
