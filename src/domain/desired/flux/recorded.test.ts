import { expect, it } from 'vitest';
import { parseTree } from '../../../platform/files/tree.ts';
import { configDigest } from './digest.ts';
import { effectiveValues, type ValuesReference } from './merge.ts';
import cases from './recorded.cases.json' with { type: 'json' };
import { toJson } from './value.ts';

interface Recorded {
  readonly inline: unknown;
  readonly refs: readonly ValuesReference[];
  readonly objects: readonly { kind: string; name: string; data: Record<string, string | undefined> }[];
  readonly values?: unknown;
  readonly digest?: string;
  readonly refused?: boolean;
}

const compute = (c: Recorded) =>
  effectiveValues({
    inline: c.inline,
    references: c.refs,
    data: (kind, name) => {
      const object = c.objects.find((o) => o.kind === kind && o.name === name);
      return object && new Map(Object.entries(object.data).map(([k, v]) => [k, v ?? '']));
    },
    parse: parseTree,
  });

// Each line was answered by github.com/fluxcd/pkg/chartutil v1.27.2, the code inside helm-controller 1.6.
for (const [i, c] of (cases as readonly Recorded[]).entries()) {
  it(`agrees with the real chartutil on recorded case ${i + 1}`, () => {
    if (c.refused) {
      expect(() => compute(c)).toThrow();
      return;
    }
    const got = compute(c);
    expect(toJson(got)).toEqual(c.values);
    expect(configDigest(got)).toBe(c.digest);
  });
}
