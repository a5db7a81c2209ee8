import { describe, expect, it } from 'vitest';
import { Teller } from './teller.ts';

const about = { apiVersion: 'v1', kind: 'Service', name: 'x' };
const event = (n: number) => ({ type: 'Normal', reason: 'R', message: String(n) }) as const;

function teller() {
  const told: string[] = [];
  return { told, teller: new Teller({ record: (_, { message }) => told.push(message) }) };
}

describe('telling', () => {
  it('is immediate while few writes are under way', async () => {
    const { told, teller: t } = teller();
    await t.during(Promise.resolve(t.tell(about, event(1))));
    expect(told).toEqual(['1']);
  });

  it('waits for the end of a burst, also one that fails, and then tells a bounded number in order', async () => {
    const { told, teller: t } = teller();
    const writes = Array.from({ length: 20 }, () => Promise.withResolvers<void>());
    const all = Promise.allSettled(writes.map(({ promise }) => t.during(promise)));
    for (let n = 0; n < 1_500; n++) t.tell(about, event(n));
    expect(told).toEqual([]);
    for (const { reject } of writes) reject(new Error('no'));
    await all;
    expect(told).toHaveLength(1_000);
    expect([told[0], told.at(-1)]).toEqual(['0', '999']);
    t.tell(about, event(7));
    expect(told.at(-1)).toBe('7');
  });
});
