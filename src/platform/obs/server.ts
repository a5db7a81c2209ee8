/** The port for kubelet and Prometheus: /healthz, /readyz, /metrics. Plain HTTP, GET and HEAD only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface HealthOptions {
  /** Absent: every address of the families that the kernel has. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** `true`, or why not: the text is the body of the 503. */
  readonly ready: () => true | string;
  readonly metrics?: Metrics;
  readonly log: Log;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  /** In pieces where it may be long. */
  readonly body: string | AsyncIterable<string>;
}

function answer(o: HealthOptions, path: string): Answer {
  switch (path) {
    case '/healthz':
      return { status: 200, body: 'ok\n' };
    case '/readyz': {
      const ready = o.ready();
      return ready === true ? { status: 200, body: 'ok\n' } : { status: 503, body: `${ready}\n` };
    }
    case '/metrics':
      if (o.metrics) return { status: 200, type: o.metrics.contentType, body: o.metrics.pieces() };
      return { status: 404, body: 'no metrics here\n' };
    default:
      return { status: 404, body: 'not found\n' };
  }
}

async function handle(o: HealthOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const path = (req.url ?? '/').split('?')[0] ?? '/';
  const known = req.method === 'GET' || req.method === 'HEAD';
  const { status, type, body }: Answer = known ? answer(o, path) : { status: 405, body: 'GET only\n' };
  res.writeHead(status, {
    'content-type': type ?? 'text/plain; charset=utf-8',
    ...(typeof body === 'string' && { 'content-length': Buffer.byteLength(body) }),
    // kubelet and Prometheus come every few seconds at most; an idle connection would only delay close().
    connection: 'close',
  });
  if (req.method === 'HEAD') res.end();
  else if (typeof body === 'string') res.end(body);
  else {
    await pipeline(Readable.from(body), res).catch((error: NodeJS.ErrnoException) => {
      // Whoever asked may hang up.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    });
  }
}

/** Listens, and resolves once it does; rejects when the port cannot be had. `close` waits for requests under way. */
export function serveHealth(o: HealthOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    handle(o, req, res).catch((error: unknown) => {
      o.log.error({ op: 'health', error }, 'health request failed');
      if (!res.headersSent) res.writeHead(500);
      res.end();
    });
  });
  // A probe sends its few bytes at once: slow or idle peers must not pile up on a host-network port.
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.keepAliveTimeout = 1_000;
  server.maxConnections = 64;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const where = o.host === undefined ? { port: o.port } : { port: o.port, host: o.host };
    server.listen(where, () => {
      server.removeListener('error', reject);
      server.on('error', (error) => o.log.error({ op: 'health', error }, 'health server error'));
      const at = server.address();
      resolve({ port: typeof at === 'object' && at ? at.port : o.port, close });
    });
  });
}
