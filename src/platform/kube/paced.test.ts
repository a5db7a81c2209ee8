import { expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { paced } from './paced.ts';
import type { KubeClient } from './ports.ts';

it('asks so many at once, and the others one after another at the pace', async () => {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const client: KubeClient = {
    server: 'https://api',
    request: ({ path }) => {
      asked.push(path);
      return Promise.resolve(path);
    },
    async *watch() {},
    close: () => Promise.resolve(),
  };
  const patient = paced(client, { clock, qps: 10, burst: 2, concurrency: 2 });
  const all = ['/a', '/b', '/c', '/d'].map((path) => patient.request({ method: 'GET', path }));
  await clock.advance(0);
  expect(asked).toEqual(['/a', '/b']);
  await clock.advance(99);
  expect(asked).toHaveLength(2);
  await clock.advance(1);
  expect(asked).toEqual(['/a', '/b', '/c']);
  await clock.advance(100);
  expect(await Promise.all(all)).toEqual(['/a', '/b', '/c', '/d']);
});

it('gives up a request that is given up while it waits', async () => {
  const clock = new VirtualClock();
  const client: KubeClient = {
    server: 'https://api',
    request: () => Promise.resolve('answer'),
    async *watch() {},
    close: () => Promise.resolve(),
  };
  const patient = paced(client, { clock, qps: 1, burst: 1, concurrency: 1 });
  await patient.request({ method: 'GET', path: '/a' });
  const given = new AbortController();
  const waiting = patient.request({ method: 'GET', path: '/b', signal: given.signal });
  given.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

it('waits before each request for as long as it is told to', async () => {
  const clock = new VirtualClock();
  const client: KubeClient = {
    server: 'https://api',
    request: () => Promise.resolve(clock.now()),
    async *watch() {},
    close: () => Promise.resolve(),
  };
  const began = clock.now();
  const rest = (signal: AbortSignal | undefined) => clock.sleep(100, signal);
  const patient = paced(client, { clock, qps: 1_000, burst: 2, concurrency: 1, rest });
  const answer = patient.request({ method: 'GET', path: '/a' });
  const given = new AbortController();
  const givenUp = patient.request({ method: 'GET', path: '/b', signal: given.signal });
  given.abort();
  await expect(givenUp).rejects.toMatchObject({ name: 'AbortError' });
  await clock.advance(100);
  expect(await answer).toBe(began + 100);
});
