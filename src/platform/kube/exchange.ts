/** One request and its whole answer. On undici's dispatch API: a stream per answer would cost more than most answers. */
import type { Dispatcher } from 'undici';

export interface Answer {
  readonly status: number;
  /** Value of the Retry-After header. */
  readonly retryAfter: string | undefined;
  readonly text: string;
}

export interface Exchange {
  /** Settles when the answer is complete. Rejects with what the connection failed of, or with the reason of `abort`. */
  readonly answer: Promise<Answer>;
  /** Gives the request up, sent or not. */
  abort(reason: Error): void;
}

/** Sends at once, or as soon as a connection is free. */
export function exchange(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions): Exchange {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let controller: Dispatcher.DispatchController | undefined;
  let given: Error | undefined;
  let head: Omit<Answer, 'text'> = { status: 0, retryAfter: undefined };
  const chunks: Buffer[] = [];
  dispatcher.dispatch(request, {
    onRequestStart(c) {
      controller = c;
      if (given) c.abort(given);
    },
    onResponseStart(_, status, headers) {
      const after = headers['retry-after'];
      head = { status, retryAfter: Array.isArray(after) ? after[0] : after };
    },
    onResponseData(_, chunk) {
      chunks.push(chunk);
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
