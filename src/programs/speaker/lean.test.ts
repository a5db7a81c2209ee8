import { describe, expect, it } from 'vitest';
import { EndpointSlices, Services } from '../../domain/api/core.ts';
import { ad, field, node, selector } from '../../domain/election/field.rig.ts';
import { judge } from '../../domain/election/judge.ts';
import { LeanServices, leanSlices } from './lean.ts';

const service = (change: { spec?: object; metadata?: object } = {}) => ({
  metadata: {
    name: 'shop',
    namespace: 'default',
    uid: 'u',
    resourceVersion: '7',
    labels: { app: 'web' },
    annotations: { 'metallb.universe.tf/allow-shared-ip': 'key', other: 'x' },
    ...change.metadata,
  },
  spec: {
    type: 'LoadBalancer',
    ports: [{ port: 80 }],
    selector: { a: 'b' },
    clusterIPs: ['10.0.0.1'],
    ...change.spec,
  },
  status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] }, conditions: [] },
});
const slice = (...endpoints: object[]) => ({
  metadata: { name: 'shop-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'shop' } },
  endpoints,
});
const on = (nodeName: string, conditions: object = { ready: true }) => ({
  addresses: ['10.1.0.1'],
  nodeName,
  conditions,
});

describe('lean objects', () => {
  it('lead to the same decisions as whole ones', () => {
    const situations = [
      [service(), slice(on('node-a'), on('node-b'), on('node-a'))],
      [
        service({ spec: { externalTrafficPolicy: 'Local' } }),
        slice(on('node-b'), on('node-a', { ready: false, serving: true })),
      ],
      [
        service({ spec: { externalTrafficPolicy: 'Local' } }),
        slice(on('node-a', { ready: false }), on('node-b')),
      ],
      [service({ spec: { type: 'ClusterIP' } }), slice(on('node-a'))],
      [service({ spec: { loadBalancerClass: 'x' } }), slice(on('node-a'))],
      [service({ metadata: { annotations: {} } }), slice(on('node-a'), { addresses: ['10.1.0.9'] })],
      [service(), slice()],
    ] as const;
    const nodes = [node('node-a'), node('node-b')];
    for (const l2 of [[ad('all')], [ad('some', { serviceSelectors: [selector({ app: 'web' })] })]]) {
      for (const [rawService, rawSlice] of situations) {
        for (const name of ['node-a', 'node-b']) {
          const input = { node: name, field: field(nodes, l2) };
          const whole = {
            ...input,
            service: Services.decode(rawService),
            slices: [EndpointSlices.decode(rawSlice)],
          };
          const leaner = {
            ...input,
            service: LeanServices.decode(rawService),
            slices: [leanSlices().decode(rawSlice)],
          };
          expect(judge(leaner)).toEqual(judge(whole));
        }
      }
    }
  });

  it('keep one endpoint per node and condition', () => {
    const lean = leanSlices().decode(slice(on('a'), on('a'), on('b'), on('a', { ready: false })));
    expect(lean.endpoints.map(({ nodeName, ready }) => [nodeName, ready])).toEqual([
      ['a', true],
      ['b', true],
      ['a', false],
    ]);
    expect(lean.serviceName).toBe('shop');
  });

  it('share what many say alike, and nothing that differs', () => {
    const kind = leanSlices();
    const [one, two, three] = [[on('a'), on('b')], [on('a'), on('b'), on('a')], [on('b')]].map((endpoints) =>
      kind.decode(slice(...endpoints)),
    );
    expect(one?.endpoints).toBe(two?.endpoints);
    expect(three?.endpoints.map(({ nodeName }) => nodeName)).toEqual(['b']);
    const spec = (change: object) => LeanServices.decode(service({ spec: change })).spec;
    expect(spec({})).toBe(spec({ ports: [{ port: 443 }] }));
    for (const change of [
      { type: 'ClusterIP' },
      { externalTrafficPolicy: 'Local' },
      { loadBalancerClass: 'x' },
    ]) {
      expect(spec(change)).toMatchObject(change);
      expect(spec({})).not.toMatchObject(change);
    }
  });

  it('keep what an Event needs of a Service, and drop the rest', () => {
    const { metadata, spec } = LeanServices.decode(service());
    expect(metadata).toMatchObject({ name: 'shop', namespace: 'default', uid: 'u', resourceVersion: '7' });
    expect(metadata.annotations).toEqual({ 'metallb.universe.tf/allow-shared-ip': 'key' });
    expect([spec.ports, spec.selector]).toEqual([[], {}]);
  });
});
