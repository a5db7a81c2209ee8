/**
 * Where the API server is and who we are: the only use of @kubernetes/client-node at run time. It knows kubeconfig files, the
 * in-cluster mount, exec plugins and OIDC; we ask it once a minute and keep the answer, since it reads its files on each call.
 */
import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { delimiter } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';

/** TLS as node:tls takes it. */
export interface Tls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Access {
  /** Without a trailing slash; may have a path, e.g. behind a multi-cluster proxy. */
  readonly server: string;
  readonly proxy?: string;
  readonly tls: Tls;
  /** Authorization and impersonation. */
  readonly headers: Readonly<Record<string, string>>;
  /** The namespace of the context or of the service account, if it names one. */
  readonly namespace?: string;
  /** Changes when connections must be made anew: another CA, client certificate, server or proxy. */
  readonly fingerprint: string;
}

function load(kubeconfig: string | undefined): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) {
    config.loadFromCluster();
    // client-node puts missing environment variables into the URL as text.
    if (config.getCurrentCluster()?.server.includes('undefined')) {
      throw new Error('no kubeconfig given and not inside a cluster (KUBERNETES_SERVICE_HOST is not set)');
    }
    return config;
  }
  for (const file of kubeconfig.split(delimiter).filter((f) => f !== '')) {
    const one = new KubeConfig();
    one.loadFromFile(file);
    config.mergeConfig(one, config.currentContext !== undefined && config.currentContext !== '');
  }
  return config;
}

/** True when reading the files again would start a program or a sign-in each time. */
function interactive(config: KubeConfig): boolean {
  const user = config.getCurrentUser();
  const tokenFile: unknown = user?.authProvider?.config?.tokenFile;
  return Boolean(user?.exec) || Boolean(user?.authProvider && !tokenFile);
}

/** Texts and buffers are all that KubeConfig sets of the many things that node:https takes. */
function bytes(v: unknown): string | Buffer | undefined {
  return typeof v === 'string' || Buffer.isBuffer(v) ? v : undefined;
}

function tlsOf(o: RequestOptions): Tls {
  const [ca, cert, key] = [bytes(o.ca), bytes(o.cert), bytes(o.key)];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(o.servername === undefined ? {} : { servername: o.servername }),
    ...(o.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: o.rejectUnauthorized }),
  };
}

function headersOf(o: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  // A token file often ends in a newline, which no header may hold.
  for (const [name, value] of Object.entries(o.headers ?? {}))
    headers[name.toLowerCase()] = String(value).trim();
  if (o.auth) headers.authorization = `Basic ${Buffer.from(o.auth).toString('base64')}`;
  return headers;
}

async function accessOf(config: KubeConfig): Promise<Access> {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current context with a cluster');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const tls = tlsOf(options);
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  const server = cluster.server.replace(/\/+$/, '');
  const hash = createHash('sha256').update(JSON.stringify([server, cluster.proxyUrl, tls]));
  return {
    server,
    tls,
    headers: headersOf(options),
    fingerprint: hash.digest('hex'),
    ...(cluster.proxyUrl ? { proxy: cluster.proxyUrl } : {}),
    ...(namespace ? { namespace } : {}),
  };
}

/** Credentials that can be read again. */
export class Credentials {
  readonly #kubeconfig: string | undefined;
  #config: KubeConfig;
  #access: Access;
  #reading: Promise<void> | undefined;

  private constructor(kubeconfig: string | undefined, config: KubeConfig, access: Access) {
    this.#kubeconfig = kubeconfig;
    this.#config = config;
    this.#access = access;
  }

  /** `kubeconfig`: one path or several, separated as in $KUBECONFIG; undefined means in-cluster. Throws when unreadable. */
  static async load(kubeconfig: string | undefined): Promise<Credentials> {
    const config = load(kubeconfig);
    return new Credentials(kubeconfig, config, await accessOf(config));
  }

  get access(): Access {
    return this.#access;
  }

  /**
   * Reads everything again: kubeconfig, token file, CA and client certificate. With `force` (after a 401) an exec plugin or
   * OIDC is asked anew too, otherwise those keep what has not expired. Callers at the same time share one reading. On an
   * error, such as a directory caught half-swapped, the credentials in hand stay.
   */
  refresh(force: boolean): Promise<void> {
    this.#reading ??= this.#read(force).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(force: boolean): Promise<void> {
    const config = force || !interactive(this.#config) ? load(this.#kubeconfig) : this.#config;
    this.#access = await accessOf(config);
    this.#config = config;
  }
}
