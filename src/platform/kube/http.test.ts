import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { createLog } from '../obs/log.ts';
import { connect, type KubeClient, type Request } from './client.ts';
import { ListReader } from './list.ts';

/** What a busy or broken server answers, in this order; afterwards 200. The retry policy is all that is tested here. */
type Answer = (res: ServerResponse) => void;
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (res) => {
    const body = { kind: 'Status', code, reason: 'Busy', message: 'busy' };
    res.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const reset: Answer = (res) => res.destroy();
const page: Answer = (res) => res.writeHead(502, { 'content-type': 'text/html' }).end('<html>');

let server: Server;
let script: Answer[];
let asked: { at: number; line: string }[];
let clock: VirtualClock;
let client: KubeClient;
let dir: string;

beforeEach(async () => {
  [script, asked, clock] = [[], [], new VirtualClock()];
  server = createServer((req, res) => {
    asked.push({ at: clock.now(), line: `${req.method} ${req.url}` });
    req.resume();
    const answer = script.shift() ?? ((r: ServerResponse) => r.end('{"ok":true}'));
    answer(res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = server.address();
  dir = mkdtempSync(join(tmpdir(), 'herald-http-'));
  const url = `http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}/prefix/`;
  const config = {
    clusters: [{ name: 'x', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'x', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    'current-context': 'x',
  };
  writeFileSync(join(dir, 'config'), JSON.stringify(config));
  const log = createLog({ level: 'none', clock });
  // Chance is its upper end: the first wait is 100 ms, then 200, 400, 800.
  client = await connect({
    kubeconfig: join(dir, 'config'),
    log,
    clock,
    random: { next: () => 1 },
    userAgent: 'x',
  });
});
afterEach(async () => {
  await client.close();
  server.close();
  rmSync(dir, { recursive: true });
});

/** Lets real answers and virtual waits take turns until the request has ended. */
async function ask(r: Partial<Request> = {}): Promise<unknown> {
  let over = false;
  const result = client.request({ method: 'GET', path: '/x', ...r }).finally(() => {
    over = true;
  });
  const outcome = result.catch((e: unknown) => e);
  // Far less than any time-out, so that only the waits between attempts pass.
  while (!over) await clock.advance(1);
  return await outcome;
}
const lines = () => asked.map((a) => a.line);

describe('a request', () => {
  it('keeps the path of the server in front of its own, and leaves out what is undefined', async () => {
    expect(await ask({ query: { a: 'b c', none: undefined } })).toEqual({ ok: true });
    expect(lines()).toEqual(['GET /prefix/x?a=b+c']);
  });

  it('turned away as too many is tried again when the server said, whatever it does', async () => {
    script = [status(429, { 'retry-after': '2' }), status(429, { 'retry-after': '1' })];
    expect(await ask({ method: 'POST', body: {} })).toEqual({ ok: true });
    expect(asked.length).toBe(3);
    expect((asked[1]?.at ?? 0) - (asked[0]?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
    expect((asked[2]?.at ?? 0) - (asked[1]?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  it.each<[string, Partial<Request>, number]>([
    ['a read', {}, 2],
    ['a replacement', { method: 'PUT', body: {} }, 2],
    ['a deletion', { method: 'DELETE' }, 2],
    ['an apply', { method: 'PATCH', body: {}, contentType: 'application/apply-patch+yaml' }, 2],
    ['a merge patch', { method: 'PATCH', body: {}, contentType: 'application/merge-patch+json' }, 1],
    ['a creation', { method: 'POST', body: {} }, 1],
    ['a creation that says it may be', { method: 'POST', body: {}, retry: true }, 2],
    ['a read that says it may not be', { retry: false }, 1],
  ])('after 503 and after a reset: %s %j is sent %i times', async (_, r, times) => {
    for (const trouble of [status(503), reset]) {
      asked = [];
      script = [trouble];
      await ask(r);
      expect(asked.length).toBe(times);
    }
  });

  it('is not sent, nor sent again, once it no longer may be', async () => {
    const may = () => asked.length === 0;
    script = [status(429, { 'retry-after': '1' })];
    const answer = await ask({ method: 'PATCH', body: {}, may });
    expect(answer).toMatchObject({ name: 'AbortError', message: 'not sent: no longer allowed' });
    expect(asked.length).toBe(1);
    expect(await ask({ may })).toMatchObject({ name: 'AbortError' });
    expect(asked.length).toBe(1);
  });

  it('is given up after five attempts, with the last error', async () => {
    script = Array.from({ length: 9 }, () => status(503));
    expect(await ask()).toMatchObject({ name: 'ApiError', status: 503, reason: 'Busy' });
    expect(asked.length).toBe(5);
  });

  it('that should wait for longer than half a minute is given back to its caller', async () => {
    script = [status(429, { 'retry-after': '31' })];
    expect(await ask()).toMatchObject({ status: 429, retryAfterMs: 31_000 });
    expect(asked.length).toBe(1);
  });

  it('is not tried again for what no repetition mends', async () => {
    for (const code of [400, 403, 404, 409, 410, 422, 500]) {
      asked = [];
      script = [status(code)];
      expect(await ask()).toMatchObject({ status: code });
      expect(asked.length).toBe(1);
    }
  });

  it('answered by something that is no API server fails with the status alone', async () => {
    script = [page];
    const error = await ask();
    expect(error).toMatchObject({ name: 'ApiError', status: 502, reason: '' });
    expect((error as Error).message).toBe('GET /x: status 502');
  });

  it('never carries what was sent into an error', async () => {
    script = [status(422)];
    const error = await ask({ method: 'POST', body: { password: 'hunter2' } });
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
  });
});

describe('an answer that is read while it comes in', () => {
  const rest = { metadata: { resourceVersion: '7' }, items: [] };
  /** Reads lists; `got` has what each attempt was given. */
  const reading = () => {
    const got: unknown[][] = [];
    const reader = () => {
      const items: unknown[] = [];
      got.push(items);
      return new ListReader((item) => items.push(item));
    };
    return { got, reader };
  };

  it('is taken piece by piece, before its end is there', async () => {
    const { got, reader } = reading();
    script = [
      (res) => {
        res.write('{"metadata":{"resourceVersion":"7"},"items":[{"a":1},{"b"');
        const goOn = () => (got[0]?.length === 1 ? res.end(':2}]}') : setImmediate(goOn));
        goOn();
      },
    ];
    expect(await ask({ reader })).toEqual(rest);
    expect(got).toEqual([[{ a: 1 }, { b: 2 }]]);
  });

  it('of many pieces is taken whole, whatever pauses are made', async () => {
    const { got, reader } = reading();
    const items = Array.from({ length: 20_000 }, (_, i) => ({ name: `item ${i}`, text: 'x'.repeat(100) }));
    script = [(res) => res.end(JSON.stringify({ ...rest, items }))];
    expect(await client.request({ method: 'GET', path: '/x', reader })).toEqual(rest);
    expect(got).toEqual([items]);
  });

  it('that is cut off is read anew from its beginning', async () => {
    const { got, reader } = reading();
    const cut: Answer = (res) => {
      res.write('{"metadata":{"resourceVersion":"6"},"items":[{"a":1},');
      const goOn = () => (got[0]?.length === 1 ? res.destroy() : setImmediate(goOn));
      goOn();
    };
    script = [cut, (res) => res.end('{"metadata":{"resourceVersion":"7"},"items":[{"b":2}]}')];
    expect(await ask({ reader })).toEqual(rest);
    expect(got).toEqual([[{ a: 1 }], [{ b: 2 }]]);
  });

  it.each([
    ['is no JSON', '{"items":[{"a":oops}]}'],
    ['ends too early', '{"items":[{"a":1}'],
  ])('that %s is a failure, and so is a refusal', async (_, text) => {
    const { got, reader } = reading();
    script = [(res) => res.end(text)];
    expect(await ask({ reader, retry: false })).toMatchObject({ name: 'ConnectionError' });
    script = [status(403)];
    expect(await ask({ reader })).toMatchObject({ name: 'ApiError', status: 403, reason: 'Busy' });
    expect(got.flat()).toEqual([]);
  });
});

describe('closing a client', () => {
  it('ends requests, waits and timers', async () => {
    script = [status(429, { 'retry-after': '20' })];
    const waiting = client.request({ method: 'GET', path: '/x' });
    const outcome = expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    while (asked.length === 0) await clock.advance(1);
    await clock.advance(1);
    await client.close();
    await outcome;
    expect(clock.timers).toBe(0);
    await expect(client.request({ method: 'GET', path: '/x' })).rejects.toMatchObject({ name: 'AbortError' });
  });
});
