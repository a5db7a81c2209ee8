import { describe, expect, test } from 'vitest';
import type { Service } from '../../domain/api/core.ts';
import type { Built } from '../../domain/desired/build.ts';
import { BackEnds, backEndOf, DEFAULT, serves, UNKNOWN } from './backend.ts';

const built = (values: unknown, more: Partial<Built> = {}): Built => ({
  source: { name: 'herald', title: 'Secret a/b', secret: true, values },
  objects: [],
  problems: [],
  ...more,
});

function service(type: string, loadBalancerClass?: string): Service {
  return {
    metadata: { name: 'a', uid: '', resourceVersion: '', generation: 0, labels: {}, annotations: {} },
    spec: {
      type,
      clusterIPs: [],
      ports: [],
      selector: {},
      externalTrafficPolicy: 'Cluster',
      ipFamilies: [],
      ...(loadBalancerClass !== undefined && { loadBalancerClass }),
    },
    status: { ingress: [], conditions: [] },
  };
}

describe('what the applied values say about the back end', () => {
  test.each([
    ['nothing: the defaults', {}, DEFAULT],
    ['upstream gives the addresses', { controller: { enabled: false } }, { ...DEFAULT, drains: false }],
    ['a class', { loadBalancerClass: 'example.com/x' }, { ...DEFAULT, loadBalancerClass: 'example.com/x' }],
    ['excluded nodes announce', { speaker: { ignoreExcludeLB: true } }, { ...DEFAULT, ignoreExclude: true }],
    [
      "another product's words beside them",
      { metallb_config: {}, controller: { enabled: false } },
      { ...DEFAULT, drains: false },
    ],
  ])('%s', (_, values, wanted) => {
    expect(backEndOf(built(values))).toEqual(wanted);
  });

  test('settings in the words of another product go over them', () => {
    const settings = { loadBalancerClass: 'example.com/y' };
    expect(backEndOf(built({ loadBalancerClass: 'x' }, { settings }))?.loadBalancerClass).toBe(
      'example.com/y',
    );
  });

  test('nothing is known while they cannot be read', () => {
    expect(backEndOf(built(undefined))).toBeUndefined();
    expect(backEndOf(built({}, { waiting: 'for the other half' }))).toBeUndefined();
  });
});

test('what was known last counts while the values cannot be read', () => {
  const backEnds = new BackEnds();
  expect(backEnds.of(undefined)).toEqual(DEFAULT);
  expect(new BackEnds().of(built(undefined))).toEqual(UNKNOWN);
  const upstream = backEnds.of(built({ controller: { enabled: false } }));
  expect(upstream.drains).toBe(false);
  expect(backEnds.of(built({}, { waiting: 'for the other half' }))).toEqual(upstream);
  expect(backEnds.of(built({})).drains).toBe(true);
});

test("the class of a MetalLB object goes over the release's", () => {
  const operator = built([], { settings: { loadBalancerClass: 'example.com/edge' } });
  const backEnds = new BackEnds();
  expect(backEnds.of(undefined, operator).loadBalancerClass).toBe('example.com/edge');
  const own = built({ loadBalancerClass: 'x', controller: { enabled: false } });
  expect(backEnds.of(own, operator)).toMatchObject({ loadBalancerClass: 'example.com/edge', drains: false });
  expect(backEnds.of(own, built([])).loadBalancerClass).toBe('x');
});

describe('who is served', () => {
  test.each([
    [DEFAULT, service('LoadBalancer'), true],
    [DEFAULT, service('ClusterIP'), false],
    [DEFAULT, service('LoadBalancer', 'example.com/x'), false],
    [{ ...DEFAULT, loadBalancerClass: 'example.com/x' }, service('LoadBalancer', 'example.com/x'), true],
    [{ ...DEFAULT, loadBalancerClass: 'example.com/x' }, service('LoadBalancer'), false],
    [UNKNOWN, service('LoadBalancer', 'example.com/x'), true],
    [UNKNOWN, service('LoadBalancer'), true],
  ])('%#', (backEnd, asked, served) => {
    expect(serves(backEnd, asked)).toBe(served);
  });
});
