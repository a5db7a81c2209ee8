import { expect, it } from 'vitest';
import { fenced } from './fenced.ts';
import type { KubeClient, Request } from './ports.ts';

it('says of each write, and of no read, that it may be sent only for now', async () => {
  const asked: Request[] = [];
  const client: KubeClient = {
    server: 'https://api',
    request: (r) => {
      asked.push(r);
      return Promise.resolve();
    },
    async *watch() {},
    close: () => Promise.resolve(),
  };
  let leading = true;
  const own = fenced(client, () => leading);
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
  for (const method of methods) await own.request({ method, path: '/x' });
  const may = () => asked.map((r) => r.may?.() ?? true);
  expect(may()).toEqual([true, true, true, true, true]);
  leading = false;
  expect(may()).toEqual([true, false, false, false, false]);
});
