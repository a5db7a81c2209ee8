/** HTTP/1.1 to one API server on undici: a pool for requests, one connection of its own for each watch. */
import { createSecureContext } from 'node:tls';
import { buildConnector, Client, type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Access, Tls } from './credentials.ts';

/** Eight connections carry more small patches than an API server takes from one client; more only cost it memory. */
const CONNECTIONS = 8;

/** Longer than the pauses of a Lease (2 s), so that renewals find their connection still open. */
const IDLE_MS = 20_000;

/** A connection that hangs while it is made must not use up the renew deadline of a Lease (10 s). */
const CONNECT_MS = 5_000;

const COMMON = { allowH2: false, keepAliveTimeout: IDLE_MS, headersTimeout: 0, bodyTimeout: 0 } as const;

/** Connections made with one set of credentials. Replaced whole when CA or client certificate change. */
export class Transport {
  readonly fingerprint: string;
  /** The server's scheme, host and port, and what of its path comes before each path; without a trailing slash. */
  readonly origin: string;
  readonly prefix: string;
  readonly #access: Access;
  readonly #connector: ReturnType<typeof buildConnector>;
  readonly #pool: Dispatcher;

  constructor(access: Access) {
    this.fingerprint = access.fingerprint;
    this.#access = access;
    const { origin, pathname } = new URL(access.server);
    this.origin = origin;
    this.prefix = pathname === '/' ? '' : pathname;
    // One connector for all: TLS sessions are resumed across pool and watches.
    this.#connector = buildConnector(connectOptions(access.tls));
    this.#pool = this.#dispatcher(CONNECTIONS);
  }

  get pool(): Dispatcher {
    return this.#pool;
  }

  /** A connection for one watch; the caller destroys it. */
  forWatch(): Dispatcher {
    return this.#dispatcher(1);
  }

  /** Lets requests under way end, then closes. */
  drain(): Promise<void> {
    return this.#pool.close();
  }

  /** Ends everything now. */
  destroy(): Promise<void> {
    return this.#pool.destroy();
  }

  #dispatcher(connections: number): Dispatcher {
    const { proxy, tls } = this.#access;
    const { origin } = this;
    if (proxy !== undefined) {
      if (!/^https?:/.test(proxy)) throw new Error('proxy-url of the kubeconfig must be http or https');
      return new ProxyAgent({ ...COMMON, uri: proxy, requestTls: { ...tls }, connections });
    }
    if (connections === 1) return new Client(origin, { ...COMMON, connect: this.#connector });
    return new Pool(origin, { ...COMMON, connect: this.#connector, connections });
  }
}

function connectOptions(tls: Tls): buildConnector.BuildOptions {
  return {
    ...tls,
    // Made once: each connection would read the CA and the key anew, as many as twenty at the start.
    secureContext: createSecureContext(tls),
    allowH2: false,
    timeout: CONNECT_MS,
    // Finds a dead peer under an idle watch; the inactivity guard finds it when the kernel does not.
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
  };
}
