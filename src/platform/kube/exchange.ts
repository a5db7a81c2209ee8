/** One request and its whole answer. On undici's dispatch API: a stream per answer would cost more than most answers. */
import type { Dispatcher } from 'undici';
import { breather } from '../obs/clock.ts';
import type { BodyReader } from './list.ts';

export interface Answer {
  readonly status: number;
  /** Value of the Retry-After header. */
  readonly retryAfter: string | undefined;
  /** Empty when a reader took it. */
  readonly text: string;
}

export interface Exchange {
  /** Settles when the answer is complete. Rejects with what the connection failed of, or with the reason of `abort`. */
  readonly answer: Promise<Answer>;
  /** Gives the request up, sent or not. */
  abort(reason: Error): void;
}

export interface ExchangeOptions {
  /** A good answer goes there while it comes in, with pauses in which the loop does everything else. */
  readonly reader?: BodyReader | undefined;
  /** Asked in the moment before it is sent; where it is false, the answer rejects with NotSent. */
  readonly may?: (() => boolean) | undefined;
}

/** The request was no longer wanted when its turn came. */
export class NotSent extends Error {
  override readonly name = 'AbortError';
}

/** Sends at once, or as soon as a connection is free. */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { reader, may }: ExchangeOptions = {},
): Exchange {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let controller: Dispatcher.DispatchController | undefined;
  let given: Error | undefined;
  let head: Omit<Answer, 'text'> = { status: 0, retryAfter: undefined };
  const chunks: Buffer[] = [];
  const breathe = breather();
  dispatcher.dispatch(request, {
    onRequestStart(c) {
      controller = c;
      if (may?.() === false) given ??= new NotSent('not sent: no longer allowed');
      if (given) c.abort(given);
    },
    onResponseStart(_, status, headers) {
      const after = headers['retry-after'];
      head = { status, retryAfter: Array.isArray(after) ? after[0] : after };
    },
    onResponseData(c, chunk) {
      if (!reader || head.status >= 400) {
        chunks.push(chunk);
        return;
      }
      // What it throws ends the request, as undici has it, and becomes its error.
      reader.take(chunk);
      const pause = breathe();
      if (!pause) return;
      c.pause();
      void pause.then(() => c.resume());
    },
    onResponseEnd() {
      const [only] = chunks;
      const body = only && chunks.length === 1 ? only : Buffer.concat(chunks);
      resolve({ ...head, text: body.toString('utf8') });
    },
    onResponseError(_, error) {
      reject(error);
    },
  });
  return {
    answer: promise,
    abort(reason) {
      given = reason;
      controller?.abort(reason);
      reject(reason);
    },
  };
}
