/** What the tests of platform/kube share: a client with a silent log, a connection that can be cut, and raw objects. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import type { KubeObject } from '../../src/domain/api/object.ts';
import { type ConnectOptions, connect, type KubeClient } from '../../src/platform/kube/client.ts';
import { Reflector, type ReflectorOptions } from '../../src/platform/kube/reflector.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog, type Log } from '../../src/platform/obs/log.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import type { ApiServer } from '../servers/index.ts';

/** A log whose lines a test can look at. */
export function listeningLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog({ level: 'debug', clock: systemClock, write: (l) => lines.push(l) }), lines };
}

export const silent: Log = createLog({ level: 'none', clock: systemClock });

/** No rate limit: tests make thousands of objects. */
export function client(kubeconfig: string, o: Partial<ConnectOptions> = {}): Promise<KubeClient> {
  return connect({ kubeconfig, log: silent, userAgent: 'herald-test', qps: 0, ...o });
}

/** A reflector with short waits, so that a test sees several attempts. */
export function reflector<T extends KubeObject>(
  o: Pick<ReflectorOptions<T>, 'client' | 'kind'> & Partial<ReflectorOptions<T>>,
): Reflector<T> {
  const timing = { maxBackoffMs: 500, ...o.timing };
  return new Reflector({ log: silent, clock: systemClock, random: systemRandom, ...o, timing });
}

/** Any kind of object, for kubectl-free writes. */
export function configMap(
  name: string,
  data: Record<string, string> = {},
  labels: Record<string, string> = {},
) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels }, data };
}

export interface Relay {
  /** A kubeconfig like the API server's own, that goes through the relay. */
  readonly kubeconfig: string;
  /** Connections open now. */
  readonly open: number;
  /** Resets every connection. */
  cut(): void;
  /** Existing connections carry nothing more, in either direction, and stay open; new ones work. */
  freeze(): void;
  /** New connections are reset at once; existing ones too. */
  refuse(): void;
  accept(): void;
  close(): Promise<void>;
}

/** A TCP relay before the API server. It sees only TLS, as a real network does. */
export async function startRelay(api: ApiServer, name = 'relay'): Promise<Relay> {
  const target = new URL(api.url);
  const pairs = new Set<readonly [Socket, Socket]>();
  let refusing = false;
  const server = createServer((near) => {
    if (refusing) {
      near.resetAndDestroy();
      return;
    }
    const far = dial(Number(target.port), target.hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('relay has no port');
  const kubeconfig = join(api.dir, `${name}.kubeconfig`);
  const text = readFileSync(api.kubeconfig, 'utf8').replaceAll(api.url, `https://127.0.0.1:${address.port}`);
  writeFileSync(kubeconfig, text, { mode: 0o600 });
  const cut = () => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  return {
    kubeconfig,
    get open() {
      return pairs.size;
    },
    cut,
    freeze() {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    refuse() {
      refusing = true;
      cut();
    },
    accept() {
      refusing = false;
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
