/** What the rest of Herald sees of the API server: requests that answer, and watches that stream. */

import type { BodyReader } from './list.ts';

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API, e.g. "/api/v1/namespaces/x/services/y/status"; segments are the caller's to encode. */
  readonly path: string;
  /** Names with an undefined value are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body; default application/json. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** For one attempt, from its sending to the last byte; default 30 s. */
  readonly timeoutMs?: number;
  /**
   * Whether a lost answer and a 503 are tried again, up to five times in all. Default: GET, PUT, DELETE and server-side apply
   * are, POST and the other patches are not, as a second one could do it twice. A 429 is always tried again.
   */
  readonly retry?: boolean;
  /** Makes what reads a good answer while it comes in, anew for each attempt; default: JSON.parse in the end. */
  readonly reader?: () => BodyReader;
  /**
   * Asked in the moment before each attempt is written to its connection, however long it waited until then; where it is false, nothing
   * is sent, and the request ends with an AbortError.
   */
  readonly may?: () => boolean;
  /** Goes before everything that waits for its turn: for a Lease, which a long queue of writes must not lose. */
  readonly urgent?: boolean;
}

export interface WatchRequest {
  readonly path: string;
  /** Without `watch`, which is added. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Silence after which the connection counts as dead; default 120 s (bookmarks come about once a minute). */
  readonly inactivityMs?: number;
  /** Called when the server has accepted the watch. */
  readonly onOpen?: () => void;
}

export interface KubeClient {
  /** URL of the API server. */
  readonly server: string;
  /** The namespace that the credentials name, if they name one. */
  readonly namespace?: string | undefined;
  /**
   * The parsed answer; undefined for an empty body. Throws ApiError (the server said no), ConnectionError (no whole answer),
   * or an AbortError (the caller's signal, or close()).
   */
  request(r: Request): Promise<unknown>;
  /**
   * Raw watch events, `{ type, object }`, one value each; ERROR events included. Ends when the server ends the stream; throws
   * as `request` does. Nothing is retried but a 401, once, with credentials read anew.
   */
  watch(r: WatchRequest): AsyncIterable<unknown>;
  /** Aborts what is under way and waits for it. */
  close(): Promise<void>;
}
