/** A door to the real API server that fails on demand: requests arrive here as plain HTTP and go on as HTTPS. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { ApiServer } from '../servers/index.ts';

/**
 * 410, 429, 500: answered so, and not passed on; 429 asks to come back after a second. reset: the connection ends before the server
 * hears of it. lost: the server does it, and the connection ends before the answer. hang: nobody answers until `release`.
 */
export type Fault = 410 | 429 | 500 | 'reset' | 'lost' | 'hang';

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly watch: boolean;
}

export interface Faulty {
  readonly kubeconfig: string;
  /** How often each fault has struck. */
  readonly struck: ReadonlyMap<Fault, number>;
  /** Ends all watches in the middle; how many there were. */
  cutWatches(): number;
  /** Resets everything that hangs. */
  release(): void;
  close(): Promise<void>;
}

/** `choose` decides for each request; watches can be reset and refused, and cut later. */
export async function startFaulty(
  api: ApiServer,
  choose: (asked: Asked) => Fault | undefined,
): Promise<Faulty> {
  const struck = new Map<Fault, number>();
  const watches = new Set<ServerResponse>();
  const hanging = new Set<IncomingMessage>();
  const agent = new Agent({ keepAlive: true, ca: readFileSync(api.ca) });
  const server = createServer((asked, answer) => {
    const { method = 'GET', url: path = '/' } = asked;
    const watch = path.includes('watch=');
    const fault = choose({ method, path, watch });
    if (fault !== undefined) struck.set(fault, (struck.get(fault) ?? 0) + 1);
    if (typeof fault === 'number') refuse(asked, answer, fault);
    else if (fault === 'reset') asked.socket.destroy();
    else if (fault === 'hang') hanging.add(asked.resume());
    else {
      if (watch) watches.add(answer.on('close', () => watches.delete(answer)));
      passOn({ api, agent, asked, answer, lose: fault === 'lost' });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const kubeconfig = join(api.dir, `faulty-${address.port}.kubeconfig`);
  // The client library takes plain HTTP only where nobody asked for a certificate.
  const text = readFileSync(api.kubeconfig, 'utf8')
    .replaceAll(api.url, `http://127.0.0.1:${address.port}`)
    .replace(/"certificate-authority-data":"[^"]*"/, '"insecure-skip-tls-verify":true');
  writeFileSync(kubeconfig, text, { mode: 0o600 });
  return {
    kubeconfig,
    struck,
    cutWatches() {
      const count = watches.size;
      for (const watch of watches) watch.destroy();
      return count;
    },
    release() {
      for (const { socket } of hanging) socket.destroy();
      hanging.clear();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      agent.destroy();
    },
  };
}

const REASONS = { 410: 'Expired', 429: 'TooManyRequests', 500: 'InternalError' } as const;

/** As the API server says it. */
function refuse(asked: IncomingMessage, answer: ServerResponse, code: 410 | 429 | 500): void {
  asked.resume();
  const reason = REASONS[code];
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'on demand', reason, code };
  const headers = { 'content-type': 'application/json', ...(code === 429 && { 'retry-after': '1' }) };
  answer.writeHead(code, headers).end(JSON.stringify(body));
}

interface Passage {
  readonly api: ApiServer;
  readonly agent: Agent;
  readonly asked: IncomingMessage;
  readonly answer: ServerResponse;
  readonly lose: boolean;
}

function passOn({ api, agent, asked, answer, lose }: Passage): void {
  const { method, headers } = asked;
  const far = request(
    `${api.url}${asked.url}`,
    { agent, method, headers: { ...headers, host: '' } },
    (reply) => {
      if (lose) {
        reply.resume().on('end', () => asked.socket.destroy());
        return;
      }
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
      reply.on('error', () => answer.destroy());
    },
  );
  far.on('error', () => answer.destroy());
  answer.on('close', () => far.destroy());
  asked.pipe(far);
}
