import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HelmRelease, HelmReleases, type ValuesReference } from '../../src/domain/api/flux.ts';
import { configDigest } from '../../src/domain/desired/flux/digest.ts';
import { effectiveValues } from '../../src/domain/desired/flux/merge.ts';
import { toJson } from '../../src/domain/desired/flux/value.ts';
import { parseTree } from '../../src/platform/files/tree.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { resource } from '../../src/platform/kube/resource.ts';
import { client } from '../api/kube.rig.ts';
import { until } from '../servers/exec.ts';
import { type ApiServer, available, type Flux, startApiServer, startFlux } from '../servers/index.ts';

const can = available('flux');
const NAMESPACE = 'merge';

/** Shared by all cases. */
const CONFIG_MAPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  base: { 'values.yaml': 'm: {z: 1, list: [1, 2]}\nl: [a, b]\nk: base\n', 'other.yaml': 'm: {o: 1}\n' },
  over: { 'values.yaml': 'm: {z: 2}\nl: [c]\n' },
  nulls: { 'values.yaml': 'm: null\n' },
  yes: {
    'values.yaml':
      'y: 1\nn: 2\na: on\nb: 0777\nc: 1_000\nd: 64512:10\ne: 12:30:45\nf: "yes"\ng: .5\nh: 1e3\n',
  },
  anchors: { 'values.yaml': 'a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\nc: *x\n' },
  empty: { 'values.yaml': '' },
  documents: { 'values.yaml': 'a: 1\na: 2\n---\nb: 3\n' },
  text: {
    v: 'from-path',
    n: '64512',
    line: '64512\n',
    quoted: '"64512"',
    list: '{p,1,true}',
    comma: 'a\\,b=c',
    two: 'a,b=c',
  },
  block: { 'values.yaml': `a: |\n  one\n  two\nb: >\n  ${'long words '.repeat(20)}\n` },
  broken: { 'values.yaml': 'a: b: c\n' },
};
const SECRETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  secret: { 'values.yaml': 'm: {s: "3"}\nasn: 4200000000\n', v: 'it\'s "secret" {x}, [0] \\ \n', empty: '' },
};

interface Case {
  readonly what: string;
  readonly values?: unknown;
  readonly from?: readonly Partial<ValuesReference>[];
  /** helm-controller refuses it with ValuesError. */
  readonly refused?: true;
}

const plain = (name: string, more: Partial<ValuesReference> = {}) => ({ name, ...more });
const path = (targetPath: string, valuesKey: string, more: Partial<ValuesReference> = {}) => ({
  name: 'text',
  targetPath,
  valuesKey,
  ...more,
});

const CASES: readonly Case[] = [
  { what: 'nothing at all' },
  { what: 'inline only', values: { a: 1, b: { c: [1, 'two', null, true] } } },
  {
    what: 'numbers',
    values: { asn: 4200000000, f: 1.5, small: 0.00001, big: 1234567.5, zero: 0, huge: 1e21 },
  },
  {
    what: 'text that looks like something else',
    values: { a: 'true', b: '1', c: 'null', d: '', e: '2020-01-01', f: '0x1', g: '12:30' },
  },
  {
    what: 'text that needs quotes',
    values: { a: 'a: b', b: '- x', c: '#x', d: "it's", e: 'q"', f: ' x ', g: 'tab\there', h: '{x}' },
  },
  {
    what: 'long and multi-line text',
    values: { a: 'word '.repeat(60), b: 'x\ny', c: 'x\n', d: '\nx\n\n', e: ' x\ny' },
  },
  { what: 'keys of many kinds', values: { y: 1, '1': 2, 'a.b': 3, 'a b': 4, é: 5, '': 6 } },
  { what: 'lists in lists', values: { l: [[1, [2]], [], [{}], [{ a: [] }]] } },
  { what: 'one reference', from: [plain('base')] },
  { what: 'the later reference wins', from: [plain('base'), plain('over')] },
  {
    what: 'a Secret and another key',
    from: [plain('base', { valuesKey: 'other.yaml' }), plain('secret', { kind: 'Secret' })],
  },
  {
    what: 'inline beats references',
    values: { m: { z: 9 }, k: 'inline' },
    from: [plain('base'), plain('over')],
  },
  { what: 'null stays', from: [plain('base'), plain('nulls')] },
  { what: 'a map after null starts afresh', from: [plain('base'), plain('nulls'), plain('over')] },
  { what: 'inline null', values: { m: null, k: null }, from: [plain('base')] },
  { what: 'YAML 1.1', from: [plain('yes')] },
  { what: 'anchors and merge keys', from: [plain('anchors')] },
  { what: 'empty text', from: [plain('empty'), plain('base')] },
  { what: 'several documents, duplicate keys', from: [plain('documents')] },
  { what: 'block scalars', from: [plain('block')] },
  {
    what: 'optional object and key missing',
    from: [plain('gone', { optional: true }), plain('text', { optional: true }), plain('base')],
  },
  { what: 'targetPath where inline has nothing', values: { k: 1 }, from: [path('m.x', 'v')] },
  { what: 'targetPath over a nested inline leaf', values: { m: { x: 'inline' } }, from: [path('m.x', 'v')] },
  {
    what: 'the same after a reference with that map',
    values: { m: { x: 'inline' } },
    from: [plain('base'), path('m.x', 'v')],
  },
  { what: 'targetPath at the top, set inline', values: { k: 'inline' }, from: [path('k', 'v')] },
  { what: 'a plain reference after targetPath', from: [path('k', 'v'), plain('base')] },
  {
    what: 'typed texts',
    from: [path('p.n', 'n'), path('p.line', 'line'), path('p.quoted', 'quoted'), path('p.list', 'list')],
  },
  { what: 'commas', from: [path('p.comma', 'comma'), path('q', 'two')] },
  {
    what: 'list elements',
    values: { l: ['a', 'b'] },
    from: [path('l[1]', 'v'), path('l[3]', 'n'), path('arr[0].a', 'v'), path('dot\\.ted', 'v')],
  },
  {
    what: 'literal text of a Secret',
    from: [path('p.dot\\.ted', 'v', { name: 'secret', kind: 'Secret', literal: true })],
  },
  { what: 'a missing key', from: [plain('text')], refused: true },
  { what: 'broken YAML, though optional', from: [plain('broken', { optional: true })], refused: true },
  { what: 'a path through a scalar', values: { k: 1 }, from: [path('k.x', 'v')], refused: true },
];

const nameOf = (i: number) => `case-${String(i).padStart(2, '0')}`;

function objects(): string {
  const metadata = (name: string) => ({ name, namespace: NAMESPACE });
  const list: object[] = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }];
  for (const [name, data] of Object.entries(CONFIG_MAPS))
    list.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name), data });
  for (const [name, stringData] of Object.entries(SECRETS))
    list.push({ apiVersion: 'v1', kind: 'Secret', metadata: metadata(name), stringData });
  for (const [i, c] of CASES.entries())
    list.push({
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
      kind: 'HelmRelease',
      metadata: metadata(nameOf(i)),
      spec: {
        interval: '10m',
        chart: {
          spec: {
            chart: './charts/plain',
            sourceRef: { kind: 'GitRepository', name: 'fleet', namespace: 'flux-system' },
          },
        },
        valuesFrom: (c.from ?? []).map((ref) => ({ kind: 'ConfigMap', ...ref })),
        ...(c.values !== undefined && { values: c.values }),
      },
    });
  return list.map((o) => JSON.stringify(o)).join('\n---\n');
}

/** As the reconciler does it, from the objects in the cluster. */
function compute(release: HelmRelease) {
  return effectiveValues({
    inline: release.spec.values,
    references: release.spec.valuesFrom,
    data: (kind, name) => {
      const data = (kind === 'Secret' ? SECRETS : CONFIG_MAPS)[name];
      return data && new Map(Object.entries(data));
    },
    parse: parseTree,
  });
}

describe.skipIf(can !== true)(
  `values as the real helm-controller merges them${can === true ? '' : ` (${can})`}`,
  () => {
    let api: ApiServer;
    let kube: KubeClient;
    let flux: Flux;

    beforeAll(async () => {
      api = await startApiServer({ crds: false });
      kube = await client(api.kubeconfig);
      flux = await startFlux(api);
      const files = ['Chart.yaml', 'templates/nothing.yaml'];
      const chart = files.map((f) => [
        `charts/plain/${f}`,
        readFileSync(join(import.meta.dirname, 'fixtures/plain', f), 'utf8'),
      ]);
      await flux.git.push(
        { ...Object.fromEntries(chart), 'clusters/lab/kustomization.yaml': 'resources: []\n' },
        'chart',
      );
      await flux.follow({ path: './clusters/lab' });
      await flux.ready('gitrepository/fleet');
      // Server-side, because a client-side apply drops the nulls in spec.values.
      await api.kubectlInput(objects(), 'apply', '--server-side', '-f', '-');
    });
    afterAll(async () => {
      await kube?.close();
      await api?.stop();
    });

    const settled = (i: number): Promise<HelmRelease> =>
      until(
        `release ${nameOf(i)}`,
        async () => {
          const release = await resource(kube, HelmReleases).get({ namespace: NAMESPACE, name: nameOf(i) });
          const ready = release?.status.conditions.find((c) => c.type === 'Ready');
          // A reference made a moment ago may be missing in the controller's cache; it looks again by itself.
          // Ready is written a moment before the history.
          const released = ready?.status === 'True' && release?.status.history[0] !== undefined;
          const over = CASES[i]?.refused ? ready?.reason === 'ValuesError' : released;
          return over ? release : undefined;
        },
        { timeoutMs: 110_000, everyMs: 100 },
      );

    /** The values that Helm stored with the release. */
    const stored = async (i: number): Promise<unknown> => {
      const secret = await api.kubectl(
        '-n',
        NAMESPACE,
        'get',
        'secret',
        `sh.helm.release.v1.${nameOf(i)}.v1`,
        '-o',
        'json',
      );
      const { data } = JSON.parse(secret) as { data: { release: string } };
      const gzip = Buffer.from(Buffer.from(data.release, 'base64').toString(), 'base64');
      return (JSON.parse(gunzipSync(gzip).toString()) as { config?: unknown }).config ?? {};
    };

    for (const [i, c] of CASES.entries()) {
      it(`agrees on ${c.what}`, async () => {
        const release = await settled(i);
        if (c.refused) {
          expect(release.status.conditions.find((x) => x.type === 'Ready')?.reason).toBe('ValuesError');
          expect(() => compute(release)).toThrow();
          return;
        }
        const values = compute(release);
        expect(configDigest(values)).toBe(release.status.history[0]?.configDigest);
        expect(toJson(values)).toEqual(await stored(i));
      });
    }
  },
);
