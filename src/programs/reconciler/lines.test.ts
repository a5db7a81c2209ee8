import { describe, expect, it } from 'vitest';
import { HelmReleases } from '../../domain/api/flux.ts';
import { withLines } from './lines.ts';

const release = (values: unknown, ...valuesFrom: object[]) =>
  HelmReleases.decode({
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'herald', namespace: 'lb', uid: 'u', resourceVersion: '1', generation: 1 },
    spec: { values, valuesFrom, interval: '1m' },
  });
const base = { kind: 'ConfigMap', name: 'base' };
const cluster = { kind: 'ConfigMap', name: 'cluster' };
const TEXTS = new Map([
  ['base', new Map([['values.yaml', 'pools:\n  web:\n    addresses:\n      - 192.0.2.9-192.0.2.1\n']])],
  [
    'cluster',
    new Map([
      ['values.yaml', '# ours\n\npools:\n  web:\n    addresses: [192.0.2.7-192.0.2.1]\n  "a.b": {}\n'],
    ]),
  ],
]);
const read = async (name: string) => TEXTS.get(name);
const problem = (path: string) => ({ code: 'X', path, message: 'm' });

describe('lines of problems', () => {
  it('come from the last ConfigMap that holds the path', async () => {
    const found = await withLines(
      [problem('pools.web.addresses[0]')],
      release(undefined, base, cluster),
      read,
    );
    expect(found).toMatchObject([{ source: 'ConfigMap lb/cluster values.yaml', line: 5, column: 17 }]);
    const other = await withLines(
      [problem('pools.web.addresses[0]')],
      release(undefined, cluster, base),
      read,
    );
    expect(other).toMatchObject([{ source: 'ConfigMap lb/base values.yaml', line: 4 }]);
  });

  it('are those of the key where the key is unknown', async () => {
    const unknown = { ...problem('pools.web.addresses'), code: 'UnknownKey' };
    const [found] = await withLines([unknown], release(undefined, base), read);
    expect(found).toMatchObject({ line: 3, column: 5 });
  });

  it('are found for names that are not plain', async () => {
    const [found] = await withLines([problem('pools["a.b"]')], release(undefined, cluster), read);
    expect(found?.line).toBe(6);
  });

  it('are not made up: inline values, Secrets, target paths, missing objects and other paths have none', async () => {
    const inline = release({ pools: { web: { addresses: ['x'] } } }, base);
    expect(await withLines([problem('pools.web.addresses[0]')], inline, read)).toEqual([
      problem('pools.web.addresses[0]'),
    ]);
    for (const from of [
      { ...base, kind: 'Secret' },
      { ...base, targetPath: 'pools' },
      { ...base, name: 'missing' },
    ])
      expect(
        (await withLines([problem('pools.web.addresses[0]')], release(undefined, from), read))[0]?.line,
      ).toBeUndefined();
    expect(
      (await withLines([problem('pools.web.addresses[7]'), problem('')], release(undefined, base), read)).map(
        (p) => p.line,
      ),
    ).toEqual([undefined, undefined]);
  });
});
