import { describe, expect, test } from 'vitest';
import { ConfigMaps, EndpointSlices, Namespaces, Nodes, Pods, Secrets, Services } from './core.ts';

const metadata = { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '7' };

describe('a Service', () => {
  const raw = {
    metadata: {
      ...metadata,
      labels: { app: 'web' },
      annotations: {
        'metallb.io/address-pool': 'a',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      },
      managedFields: [{ manager: 'kubectl' }],
    },
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.0.0.9',
      clusterIPs: ['10.0.0.9'],
      ports: [{ name: 'http', protocol: 'UDP', port: 80, targetPort: 'web', nodePort: 30000 }, { port: 81 }],
      selector: { app: 'web' },
      externalTrafficPolicy: 'Local',
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: ['IPv4'],
      sessionAffinity: 'None',
    },
    status: {
      loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] },
      conditions: [{ type: 'a/b', status: 'True', reason: 'R', message: '', lastTransitionTime: 't' }],
    },
  };

  test('keeps what Herald uses and nothing else', () => {
    expect(Services.decode(raw)).toEqual({
      metadata: {
        ...metadata,
        generation: 0,
        labels: { app: 'web' },
        annotations: { 'metallb.io/address-pool': 'a' },
      },
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.0.0.9',
        clusterIPs: ['10.0.0.9'],
        ports: [
          { protocol: 'UDP', port: 80 },
          { protocol: 'TCP', port: 81 },
        ],
        selector: { app: 'web' },
        externalTrafficPolicy: 'Local',
        ipFamilyPolicy: 'SingleStack',
        ipFamilies: ['IPv4'],
      },
      status: {
        ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }],
        conditions: [{ type: 'a/b', status: 'True', reason: 'R', message: '', lastTransitionTime: 't' }],
      },
    });
  });

  test('may lack everything that the API server lets it lack', () => {
    expect(Services.decode({ metadata: { name: 'x' }, spec: {} })).toEqual({
      metadata: { name: 'x', uid: '', resourceVersion: '', generation: 0, labels: {}, annotations: {} },
      spec: {
        type: 'ClusterIP',
        clusterIPs: [],
        ports: [],
        selector: {},
        externalTrafficPolicy: 'Cluster',
        ipFamilies: [],
      },
      status: { ingress: [], conditions: [] },
    });
  });

  test('may hold null where Go writes an empty list or map', () => {
    const nulls = {
      metadata: { ...metadata, labels: null, annotations: null, ownerReferences: null },
      spec: { clusterIPs: null, ports: null, selector: null, ipFamilies: null },
      status: { loadBalancer: { ingress: null }, conditions: null },
    };
    const { spec, status } = Services.decode(nulls);
    expect([spec.ports, spec.clusterIPs, spec.ipFamilies, status.ingress, status.conditions]).toEqual([
      [],
      [],
      [],
      [],
      [],
    ]);
    expect(spec.selector).toEqual({});
  });

  test.each([
    [
      { ...raw, spec: { ports: [{ port: 1 }, { port: 'http' }] } },
      'spec.ports[1].port must be a whole number, not text',
    ],
    [{ ...raw, spec: undefined }, 'spec is required'],
    [{ ...raw, metadata: { ...metadata, labels: { a: 1 } } }, 'metadata.labels.a must be text, not a number'],
  ])('of another shape is refused by name and place', (broken, message) => {
    expect(() => Services.decode(JSON.parse(JSON.stringify(broken)))).toThrow(`Service shop/web: ${message}`);
  });

  test('that is no object at all is refused', () => {
    expect(() => Services.decode('x')).toThrow('a Service: it must be a map, not text');
    expect(() => Services.decode({ spec: {} })).toThrow('a Service: metadata is required');
  });
});

test('an EndpointSlice knows its Service by the label', () => {
  const raw = {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.1.0.1'],
        nodeName: 'n1',
        conditions: { ready: true, serving: true, terminating: false },
      },
      { addresses: ['10.1.0.2'], conditions: {} },
    ],
    ports: null,
  };
  const slice = EndpointSlices.decode(raw);
  expect(slice.serviceName).toBe('web');
  expect(slice.endpoints).toEqual([
    { addresses: ['10.1.0.1'], nodeName: 'n1', ready: true, serving: true },
    { addresses: ['10.1.0.2'] },
  ]);
  expect(EndpointSlices.decode({ metadata, endpoints: null })).toMatchObject({
    serviceName: '',
    endpoints: [],
  });
});

test('a Node, a Namespace and a Pod keep their conditions and phases', () => {
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: 'now' }];
  expect(Nodes.decode({ metadata, spec: { unschedulable: true }, status: { conditions } })).toMatchObject({
    spec: { unschedulable: true },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  expect(Nodes.decode({ metadata })).toMatchObject({
    spec: { unschedulable: false },
    status: { conditions: [] },
  });
  expect(Namespaces.decode({ metadata, status: { phase: 'Terminating' } }).status.phase).toBe('Terminating');
  const pod = Pods.decode({
    metadata,
    spec: { nodeName: 'n1' },
    status: { phase: 'Running', podIP: '10.1.0.1', conditions },
  });
  expect(pod.spec).toEqual({ nodeName: 'n1' });
  expect(pod.status).toEqual({
    phase: 'Running',
    podIP: '10.1.0.1',
    conditions: [{ type: 'Ready', status: 'True' }],
  });
});

test('a Secret is decoded text, a ConfigMap is its data', () => {
  const data = { 'values.json': Buffer.from('{"ä":1}').toString('base64'), empty: '' };
  expect(Secrets.decode({ metadata, type: 'kubernetes.io/basic-auth', data })).toMatchObject({
    type: 'kubernetes.io/basic-auth',
    data: { 'values.json': '{"ä":1}', empty: '' },
  });
  expect(Secrets.decode({ metadata })).toMatchObject({ type: 'Opaque', data: {} });
  expect(ConfigMaps.decode({ metadata, data: { a: 'b' }, binaryData: { c: 'AA==' } }).data).toEqual({
    a: 'b',
  });
});

test('what goes wrong with a Secret never shows what is in it', () => {
  const broken = { metadata, data: { password: 4711 } };
  expect(() => Secrets.decode(broken)).toThrow('Secret shop/web: data.password must be text, not a number');
});
