import fc from 'fast-check';
import * as prom from 'prom-client';
import { expect, test } from 'vitest';
import { Series } from './series.ts';

test('a series is printed as prom-client prints it, whatever stands in its labels', async () => {
  // What no label of ours holds parts their values.
  const label = fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll('\0', ''));
  const all = fc.array(fc.tuple(label, label, fc.double({ noNaN: true })), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(all, fc.constantFrom('a', 'a b\\c\nd'), async (values, help) => {
      const registry = new prom.Registry();
      const theirs = new prom.Gauge({ name: 'g', help, labelNames: ['x', 'y'], registers: [registry] });
      const ours = new Series({ name: 'g', help, type: 'gauge', labels: ['x', 'y'] });
      for (const [x, y, value] of values) {
        theirs.set({ x, y }, value);
        ours.set({ x, y }, value);
      }
      expect([...ours.text()].join('').trim()).toBe((await registry.metrics()).trim());
    }),
  );
});
