import type { Service } from '../api/core.ts';
import { parseSelector, type Selector } from '../api/selector.ts';
import type { Allocation, Config, Pool } from '../config/config.ts';
import { type Address, formatAddress, parseAddress } from '../ip/address.ts';
import { parseRange, type Range, toCidrs } from '../ip/range.ts';
import { union } from '../ip/ranges.ts';
import { converge, type MoveState } from './converge.ts';
import type { Ledger } from './ledger.ts';

/** Pools as a test writes them; an allocation may leave out what it does not need. */
export interface PoolSketch {
  readonly addresses: readonly string[];
  readonly autoAssign?: boolean;
  readonly avoidBuggyIPs?: boolean;
  readonly strategy?: Pool['strategy'];
  readonly draining?: readonly string[];
  readonly moving?: readonly string[];
  readonly allocation?: {
    readonly priority?: number;
    readonly namespaces?: readonly string[];
    readonly restrictsNamespaces?: boolean;
    readonly serviceLabels?: readonly Readonly<Record<string, string>>[];
  };
}

export function configOf(sketches: Readonly<Record<string, PoolSketch>>): Config {
  const pools = Object.entries(sketches).map(([name, sketch]): [string, Pool] => [
    name,
    poolFrom(name, sketch),
  ]);
  return { pools: new Map(pools), l2: [], bgp: [] };
}

function poolFrom(name: string, sketch: PoolSketch): Pool {
  const { autoAssign = true, avoidBuggyIPs = false, draining = [], moving = [] } = sketch;
  return {
    name,
    ranges: rangesOf(sketch.addresses).flatMap(toCidrs),
    autoAssign,
    avoidBuggyIPs,
    ...(draining.length + moving.length > 0 && { draining: union(rangesOf([...draining, ...moving])) }),
    ...(moving.length > 0 && { moving: union(rangesOf(moving)) }),
    ...(sketch.strategy && { strategy: sketch.strategy }),
    ...(sketch.allocation && { allocation: allocationFrom(sketch) }),
  };
}

function rangesOf(texts: readonly string[]): Range[] {
  return texts.flatMap((text) => {
    const parsed = parseRange(text);
    if ('error' in parsed) throw new Error(parsed.error);
    return 'range' in parsed ? [parsed.range] : [];
  });
}

function allocationFrom({ allocation = {} }: PoolSketch): Allocation {
  const { priority = 0, namespaces = [], serviceLabels = [] } = allocation;
  return {
    priority,
    namespaces: new Set(namespaces),
    restrictsNamespaces: allocation.restrictsNamespaces ?? namespaces.length > 0,
    serviceSelectors: serviceLabels.map(selectorFrom),
  };
}

function selectorFrom(matchLabels: Readonly<Record<string, string>>): Selector {
  const selector = parseSelector({ matchLabels });
  if ('error' in selector) throw new Error(selector.error);
  return selector;
}

/** A LoadBalancer Service as a test writes it: "namespace/name", and what differs from the plainest IPv4 one. */
export interface ServiceSketch {
  readonly type?: string;
  readonly clusterIPs?: readonly string[];
  readonly ports?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ingress?: readonly string[];
  readonly policy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack';
  readonly families?: readonly string[];
  readonly local?: boolean;
  readonly loadBalancerIP?: string;
  /** Reason of its condition herald.io/Allocated. */
  readonly reason?: string;
}

export const dual = ['10.96.0.9', 'fd00:10:96::9'] as const;

export function serviceOf(key: string, o: ServiceSketch = {}): Service {
  const [namespace = '', name = ''] = key.split('/');
  const { clusterIPs = ['10.96.0.9'], ports = ['TCP/80'] } = o;
  return {
    metadata: {
      name,
      namespace,
      uid: key,
      resourceVersion: '1',
      generation: 1,
      labels: o.labels ?? {},
      annotations: o.annotations ?? {},
    },
    spec: {
      type: o.type ?? 'LoadBalancer',
      ...(clusterIPs[0] === undefined ? {} : { clusterIP: clusterIPs[0] }),
      clusterIPs,
      ports: ports.map((port) => {
        const [protocol = '', number = ''] = port.split('/');
        return { protocol, port: Number(number) };
      }),
      selector: { app: name },
      externalTrafficPolicy: o.local ? 'Local' : 'Cluster',
      ...(o.loadBalancerIP === undefined ? {} : { loadBalancerIP: o.loadBalancerIP }),
      ...(o.policy === undefined ? {} : { ipFamilyPolicy: o.policy }),
      ipFamilies: o.families ?? clusterIPs.map((ip) => (ip.includes(':') ? 'IPv6' : 'IPv4')),
    },
    status: {
      ingress: (o.ingress ?? []).map((ip) => ({ ip })),
      conditions: o.reason === undefined ? [] : [allocatedFor(o.reason)],
    },
  };
}

const allocatedFor = (reason: string) =>
  ({ type: 'herald.io/Allocated', status: 'True', reason, message: '', lastTransitionTime: '' }) as const;

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(`${text} is no address`);
  return parsed;
}

export const texts = (addresses: readonly Address[]): string[] => addresses.map(formatAddress);

/** What a pass makes of a Service: its addresses, or the reason word, then the notes. */
export function pass(ledger: Ledger, key: string, sketch: ServiceSketch = {}, moves: MoveState = {}) {
  const { verdict, notes } = converge(ledger, serviceOf(key, sketch), moves);
  const words = notes.map((n) => n.note);
  if ('none' in verdict) return { result: 'none', words };
  if ('refusal' in verdict) return { result: verdict.refusal.refused, words };
  if ('kept' in verdict) return { result: `kept: ${verdict.kept.refused}`, words };
  const { addresses, pool, because } = verdict.choice;
  return { result: `${texts(addresses).join(' ')} ${pool} ${because}`, words };
}
