import { describe, expect, it } from 'vitest';
import { objectsOf, snapshotOf, textOf } from './snapshot.ts';

const POOL = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name: 'web', namespace: 'metallb-system', managedFields: [{ manager: 'kubectl' }] },
  spec: { addresses: ['192.0.2.0/28'] },
};
const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { type: 'LoadBalancer' },
  status: { loadBalancer: { ingress: [{ ip: '192.0.2.5' }] } },
};
const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1' },
  status: { images: [{ names: ['x'] }], conditions: [{ type: 'Ready', status: 'True' }] },
};
const PLAN = {
  apiVersion: 'herald.io/v1alpha1',
  kind: 'Plan',
  metadata: {
    name: 'herald',
    namespace: 'metallb-system',
    annotations: { 'herald.io/approve': 'sha256:00' },
  },
  spec: { source: 'herald', digest: '', summary: 'nothing' },
};

describe('a snapshot', () => {
  it('takes what stands in the namespace of Herald, and Services from everywhere', () => {
    const elsewhere = { ...POOL, metadata: { ...POOL.metadata, namespace: 'other' } };
    const cluster = { ...SERVICE, spec: { type: 'ClusterIP' } };
    const seen = snapshotOf(
      [POOL, elsewhere, SERVICE, cluster, NODE, PLAN, { kind: 'Pod' }, null],
      'metallb-system',
    );
    expect(seen.live.map((o) => o.metadata.name)).toEqual(['web']);
    expect(seen.scene?.services.map((s) => s.metadata.name)).toEqual(['web']);
    expect(seen.scene?.nodes.map((n) => n.metadata.name)).toEqual(['n1']);
    expect(seen.approved).toEqual(new Map([['herald', 'sha256:00']]));
  });

  it('says nothing about Services where none, no Namespace and no Node is in it', () => {
    expect(snapshotOf([POOL], 'metallb-system').scene).toBeUndefined();
    expect(snapshotOf([POOL, NODE], 'metallb-system').scene?.services).toEqual([]);
  });

  it('comes back from its file, without bookkeeping and images of nodes', () => {
    const text = textOf([POOL, SERVICE, NODE]);
    expect(text).not.toContain('managedFields');
    expect(text).not.toContain('images');
    expect(snapshotOf(objectsOf(text), 'metallb-system')).toEqual(
      snapshotOf([POOL, SERVICE, NODE], 'metallb-system'),
    );
  });

  it('is refused when it is no list', () => {
    expect(() => objectsOf('{"kind":"Pod"}')).toThrow('is not a list of objects');
    expect(() => objectsOf('kind: List')).toThrow(SyntaxError);
  });
});
