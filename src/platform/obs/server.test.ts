import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createLog } from './log.ts';
import { Metrics } from './metrics.ts';
import { serveHealth } from './server.ts';

const log = createLog({ level: 'none', clock: systemClock });

describe('the health port', () => {
  let ready: true | string = true;
  let server: Awaited<ReturnType<typeof serveHealth>>;
  const metrics = new Metrics({ defaults: false });
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

  beforeEach(async () => {
    ready = true;
    server = await serveHealth({ host: '127.0.0.1', port: 0, ready: () => ready, metrics, log });
  });
  afterEach(() => server.close());

  it('says that it lives, and why it is not ready', async () => {
    ready = 'Service cache: forbidden';
    expect((await get('/healthz')).status).toBe(200);
    const answer = await get('/readyz?verbose');
    expect([answer.status, await answer.text()]).toEqual([503, 'Service cache: forbidden\n']);
    ready = true;
    expect((await get('/readyz')).status).toBe(200);
  });

  it('gives metrics in the format of Prometheus', async () => {
    metrics.counter({ name: 'x_total', help: 'x' }).inc({});
    const answer = await get('/metrics');
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    expect(await answer.text()).toContain('x_total 1');
  });

  it('bears that somebody hangs up in the middle of them', async () => {
    const gauge = metrics.gauge({ name: 'many', help: 'many', labels: ['n'] });
    for (let i = 0; i < 100_000; i++) gauge.set({ n: `n${i}` }, i);
    const hangUp = new AbortController();
    const answer = await get('/metrics', { signal: hangUp.signal });
    await answer.body?.getReader().read();
    hangUp.abort();
    expect((await get('/healthz')).status).toBe(200);
    expect(await (await get('/metrics')).text()).toContain('many{n="n99999"} 99999\n');
  });

  it('knows nothing else', async () => {
    expect((await get('/secrets')).status).toBe(404);
    expect((await get('/healthz', { method: 'POST' })).status).toBe(405);
    const head = await get('/healthz', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('cannot be had twice, and is free again after close', async () => {
    const o = { host: '127.0.0.1', ready: () => true as const, log };
    await expect(serveHealth({ ...o, port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const other = await serveHealth({ ...o, port: 0 });
    await other.close();
    const again = await serveHealth({ ...o, port: other.port });
    expect((await fetch(`http://127.0.0.1:${again.port}/metrics`)).status).toBe(404);
    await again.close();
  });

  it('answers 500 and goes on when asking for readiness fails', async () => {
    let broken = true;
    const s = await serveHealth({
      host: '127.0.0.1',
      port: 0,
      ready: () => {
        if (broken) throw new Error('broken');
        return true;
      },
      log,
    });
    expect((await fetch(`http://127.0.0.1:${s.port}/readyz`)).status).toBe(500);
    broken = false;
    expect((await fetch(`http://127.0.0.1:${s.port}/readyz`)).status).toBe(200);
    await s.close();
  });
});
