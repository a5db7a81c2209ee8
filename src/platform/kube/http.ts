/** KubeClient over HTTP: credentials, limits, time-outs, retries. */
import type { Dispatcher } from 'undici';
import { abortError, type Clock, isAbort, type Timer } from '../obs/clock.ts';
import { errorText, type Log } from '../obs/log.ts';
import type { Counter, Histogram, Metrics } from '../obs/metrics.ts';
import { fullJitter, type Random } from '../obs/random.ts';
import type { Credentials } from './credentials.ts';
import { ApiError, ConnectionError, isUnauthorized, statusError } from './errors.ts';
import { type Answer, exchange, NotSent } from './exchange.ts';
import { Limiter } from './limiter.ts';
import { jsonLines } from './lines.ts';
import type { KubeClient, Request, WatchRequest } from './ports.ts';
import { Transport } from './transport.ts';

const TIMEOUT_MS = 30_000;
const INACTIVITY_MS = 120_000;
/** As client-go: a bound token is good for an hour and renewed long before, so a minute's delay never matters. */
const REFRESH_MS = 60_000;
const ATTEMPTS = 5;
const BACKOFF = { firstMs: 100, maxMs: 5_000 } as const;
/** A server that asks for more than this is told to the caller instead of waited for. */
const LONGEST_RETRY_AFTER_MS = 30_000;

export interface HttpOptions {
  readonly credentials: Credentials;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly userAgent: string;
  readonly qps: number;
  readonly burst: number;
  readonly concurrency: number;
  readonly metrics: Metrics | undefined;
}

export class HttpClient implements KubeClient {
  readonly #o: HttpOptions;
  readonly #limiter: Limiter;
  readonly #closing = new AbortController();
  readonly #joined = new WeakMap<AbortSignal, AbortSignal>();
  readonly #busy = new Set<Promise<unknown>>();
  readonly #requests: Counter<'method' | 'code'> | undefined;
  readonly #seconds: Histogram<'method'> | undefined;
  #transport: Transport;
  #timer: Timer | undefined;

  constructor(o: HttpOptions) {
    this.#o = o;
    this.#limiter = new Limiter(o);
    this.#transport = new Transport(o.credentials.access);
    this.#requests = o.metrics?.counter({
      name: 'herald_kube_requests_total',
      help: 'Requests to the API server by method and status code; code 0 is a lost connection.',
      labels: ['method', 'code'],
    });
    this.#seconds = o.metrics?.histogram({
      name: 'herald_kube_request_duration_seconds',
      help: 'Time from sending a request to the end of its answer.',
      labels: ['method'],
    });
    this.#scheduleRefresh();
  }

  get server(): string {
    return this.#o.credentials.access.server;
  }

  get namespace(): string | undefined {
    return this.#o.credentials.access.namespace;
  }

  request(r: Request): Promise<unknown> {
    return this.#track(
      r.urgent ? this.#retrying(r) : this.#limiter.run(() => this.#retrying(r), this.#signal(r)),
    );
  }

  async *watch(r: WatchRequest): AsyncGenerator<unknown, void, void> {
    const what = `WATCH ${r.path}`;
    const transport = this.#transport;
    const signal = this.#signal(r);
    const connection = transport.forWatch();
    try {
      const body = await this.#openWatch(connection, r, signal).catch(async (e: unknown) => {
        if (!isUnauthorized(e) || signal.aborted) throw e;
        await this.#refresh(true);
        return await this.#openWatch(connection, r, signal);
      });
      r.onOpen?.();
      yield* jsonLines(body);
    } catch (e) {
      throw this.#wireError(what, e, signal);
    } finally {
      // Tracked, as a consumer that leaves its loop early does not wait for the socket to go.
      await this.#track(connection.destroy());
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    await Promise.allSettled(this.#busy);
    await this.#transport.destroy();
  }

  /** One turn of the limiter, whatever it takes: a retry does not queue again behind the others. */
  async #retrying(r: Request): Promise<unknown> {
    let refreshed = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(r);
      } catch (e) {
        if (isUnauthorized(e) && !refreshed) {
          refreshed = true;
          await this.#refresh(true);
          continue;
        }
        const wait = attempt < ATTEMPTS ? this.#retryDelay(r, e, attempt) : undefined;
        if (wait === undefined) throw e;
        this.#o.log.debug({ method: r.method, path: r.path, attempt, error: e }, 'request is tried again');
        await this.#o.clock.sleep(wait, this.#signal(r));
      }
    }
  }

  /** Milliseconds to wait before the next attempt; undefined when there is none. */
  #retryDelay(r: Request, e: unknown, attempt: number): number | undefined {
    const again =
      r.retry ?? (r.method === 'GET' || r.method === 'PUT' || r.method === 'DELETE' || isApply(r));
    const jitter = () => fullJitter({ ...BACKOFF, attempt: attempt - 1, random: this.#o.random });
    if (e instanceof ConnectionError) return again ? jitter() : undefined;
    // A 429 was turned away before anything happened, so it is safe for each verb.
    if (!(e instanceof ApiError) || !(e.status === 429 || (e.status === 503 && again))) return undefined;
    if (r.retry === false) return undefined;
    const asked = e.retryAfterMs ?? 0;
    return asked > LONGEST_RETRY_AFTER_MS ? undefined : asked + jitter();
  }

  async #attempt(r: Request): Promise<unknown> {
    const { clock } = this.#o;
    const signal = this.#signal(r);
    if (signal.aborted) throw abortError(signal);
    const timeoutMs = r.timeoutMs ?? TIMEOUT_MS;
    const started = clock.now();
    let code = 0;
    const reader = r.reader?.();
    const options = {
      ...this.#target(r.path, r.query),
      method: r.method,
      headers: this.#headers(r.body === undefined ? undefined : (r.contentType ?? 'application/json')),
      ...(r.body === undefined ? {} : { body: JSON.stringify(r.body) }),
    };
    const { answer, abort } = exchange(this.#transport.pool, options, { reader, may: r.may });
    const onAbort = () => abort(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = clock.after(timeoutMs, () => abort(new Error(`no answer in ${timeoutMs} ms`)));
    try {
      const { status, retryAfter, text } = await answer;
      code = status;
      if (code >= 400) throw failure(whatOf(r), { status, retryAfter }, text);
      if (reader) return reader.end();
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    } catch (e) {
      throw this.#wireError(whatOf(r), e, signal);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      this.#requests?.inc({ method: r.method, code: String(code) });
      this.#seconds?.observe({ method: r.method }, (clock.now() - started) / 1000);
    }
  }

  async #openWatch(connection: Dispatcher, r: WatchRequest, signal: AbortSignal) {
    const inactivity = r.inactivityMs ?? INACTIVITY_MS;
    const res = await connection.request({
      ...this.#target(r.path, { ...r.query, watch: 'true' }),
      method: 'GET',
      headers: this.#headers(undefined),
      signal,
      headersTimeout: Math.min(inactivity, TIMEOUT_MS),
      bodyTimeout: inactivity,
    });
    if (res.statusCode >= 400) {
      const after = res.headers['retry-after'];
      const retryAfter = Array.isArray(after) ? after[0] : after;
      throw failure(`WATCH ${r.path}`, { status: res.statusCode, retryAfter }, await res.body.text());
    }
    return res.body;
  }

  /** Everything that is not an answer: an AbortError when the caller asked for it, otherwise a ConnectionError. */
  #wireError(what: string, e: unknown, outer: AbortSignal): unknown {
    if (e instanceof ApiError || e instanceof NotSent) return e;
    if (outer.aborted) return isAbort(e) ? e : abortError(outer);
    return new ConnectionError(`${what}: ${errorText(e)}`, { cause: e });
  }

  #target(path: string, query: Readonly<Record<string, string | undefined>> | undefined) {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) params.set(name, value);
    const text = params.toString();
    const { origin, prefix } = this.#transport;
    return { origin, path: `${prefix}${path}${text === '' ? '' : `?${text}`}` };
  }

  #headers(contentType: string | undefined): Record<string, string> {
    return {
      ...this.#o.credentials.access.headers,
      accept: 'application/json',
      'user-agent': this.#o.userAgent,
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    };
  }

  /** Many requests share a signal, and joining two costs as much as half a request. */
  #signal(r: { readonly signal?: AbortSignal }): AbortSignal {
    if (!r.signal) return this.#closing.signal;
    const known = this.#joined.get(r.signal);
    if (known) return known;
    const joined = AbortSignal.any([r.signal, this.#closing.signal]);
    this.#joined.set(r.signal, joined);
    return joined;
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const done = work.finally(() => this.#busy.delete(done));
    this.#busy.add(done);
    return done;
  }

  #scheduleRefresh(): void {
    this.#timer = this.#o.clock.after(REFRESH_MS, () => {
      void this.#track(this.#refresh(false)).then(() => {
        if (!this.#closing.signal.aborted) this.#scheduleRefresh();
      });
    });
  }

  /** Never rejects: with no new credentials the old ones are tried on. */
  async #refresh(force: boolean): Promise<void> {
    const { credentials, log } = this.#o;
    try {
      await credentials.refresh(force);
      if (credentials.access.fingerprint === this.#transport.fingerprint) return;
      const old = this.#transport;
      this.#transport = new Transport(credentials.access);
      log.info({ op: 'credentials' }, 'CA or client certificate changed, connections are made anew');
      // Watches of the old transport end by themselves within minutes; its requests end now, and nobody waits for them here.
      void this.#track(old.drain()).catch((error: unknown) =>
        log.debug({ op: 'credentials', error }, 'old connections were cut'),
      );
    } catch (error) {
      log.warn({ op: 'credentials', error }, 'credentials could not be read again, the old ones stay');
    }
  }
}

function isApply(r: Request): boolean {
  return r.method === 'PATCH' && (r.contentType?.startsWith('application/apply-patch') ?? false);
}

function whatOf({ method, path }: Request): string {
  return `${method} ${path}`;
}

function failure(what: string, { status, retryAfter }: Omit<Answer, 'text'>, text: string): ApiError {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    // A proxy's page or an early 401 is no JSON; the status says enough.
  }
  const after = Number(retryAfter);
  const retryAfterMs = Number.isFinite(after) && after >= 0 ? after * 1000 : undefined;
  return statusError(what, raw, { status, retryAfterMs });
}
