import type { Endpoint, EndpointSlice, Service } from '../api/core.ts';
import type { ObjectMeta } from '../api/object.ts';
import { parseSelector, type Selector } from '../api/selector.ts';
import type { Config, L2Ad, Pool } from '../config/config.ts';
import { parseRange, type Range, toCidrs } from '../ip/range.ts';
import { type Field, layOut } from './field.ts';
import type { NodeView } from './nodes.ts';

/** Short ways to write down a situation. */

export function node(name: string, change: Partial<NodeView> = {}): NodeView {
  return { name, labels: {}, networkUnavailable: false, excluded: false, liveness: 'live', ...change };
}

export function range(text: string): Range {
  const parsed = parseRange(text);
  if (!('range' in parsed)) throw new Error(text);
  return parsed.range;
}

export function pool(name: string, ...ranges: string[]): Pool {
  const parsed = ranges.flatMap((text) => toCidrs(range(text)));
  return { name, ranges: parsed, autoAssign: true, avoidBuggyIPs: false };
}

export function ad(name: string, change: Partial<L2Ad> = {}): L2Ad {
  return {
    name,
    pools: new Set(['web']),
    nodeSelectors: [],
    interfaces: [],
    serviceSelectors: [],
    preferred: [],
    ...change,
  };
}

export function selector(labels: Record<string, string>): Selector {
  const parsed = parseSelector({ matchLabels: labels });
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed;
}

export function config(l2: readonly L2Ad[], ...pools: Pool[]): Config {
  const all = pools.length > 0 ? pools : [pool('web', '192.0.2.0/24', '2001:db8::/64')];
  return { pools: new Map(all.map((p) => [p.name, p])), l2, bgp: [] };
}

export function field(nodes: readonly NodeView[], l2: readonly L2Ad[] = [ad('all')]): Field {
  return layOut(config(l2), nodes);
}

export function meta(name: string, change: Partial<ObjectMeta> = {}): ObjectMeta {
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    generation: 1,
    labels: {},
    annotations: {},
    ...change,
  };
}

export function service(
  ips: readonly string[],
  change: { meta?: Partial<ObjectMeta>; spec?: Partial<Service['spec']> } = {},
): Service {
  return {
    metadata: meta('shop', { namespace: 'default', ...change.meta }),
    spec: {
      type: 'LoadBalancer',
      clusterIPs: ['10.0.0.1'],
      ports: [],
      selector: {},
      externalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ...change.spec,
    },
    status: { ingress: ips.map((ip) => ({ ip })), conditions: [] },
  };
}

/** One endpoint on each node. */
export function slice(nodes: readonly string[], change: Partial<Endpoint> = {}): EndpointSlice {
  return {
    metadata: meta('shop-1', { namespace: 'default' }),
    serviceName: 'shop',
    endpoints: nodes.map((nodeName) => ({ addresses: ['10.1.0.1'], nodeName, ...change })),
  };
}
