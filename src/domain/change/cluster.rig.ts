/** What real controllers and speakers make of objects, for the model tests: with the rooms that they use, not with those of this one. */
import type { Namespace, Node, Service } from '../api/core.ts';
import type { BGPPeer } from '../api/metallb.ts';
import { parseSelector, selectorMatches } from '../api/selector.ts';
import { type Config, poolOf } from '../config/config.ts';
import { load } from '../config/load.ts';
import { type LiveObject, viewOf } from '../desired/object.ts';
import { typedSet } from '../desired/typed.ts';
import { type Field, layOut } from '../election/field.ts';
import { judge as elected } from '../election/judge.ts';
import { nodeView } from '../election/nodes.ts';
import { parseAddress } from '../ip/address.ts';
import { adopt } from '../ipam/converge.ts';
import { Ledger } from '../ipam/ledger.ts';

/** What is in force: the last set that could be read. */
export interface Force {
  readonly config: Config;
  readonly peers: readonly BGPPeer[];
}

export function inForce(
  before: Force | undefined,
  objects: readonly LiveObject[],
  namespaces: readonly Namespace[],
): Force | undefined {
  const set = typedSet(objects.map(viewOf));
  const loaded = load({ ...set, namespaces });
  return 'config' in loaded ? { config: loaded.config, peers: set.bgpPeers } : before;
}

type Interfaces = 'all' | ReadonlySet<string>;

/** What a Service has: nothing when it may not keep its addresses. */
export interface Has {
  /** Nodes, and the interfaces of each. */
  readonly l2: ReadonlyMap<string, Interfaces>;
  readonly bgp: ReadonlySet<string>;
}

/** What each Service has, by "namespace/name"; those that keep their addresses only. */
export function served(
  { config, peers }: Force,
  services: readonly Service[],
  nodes: readonly Node[],
): ReadonlyMap<string, Has> {
  const ledger = new Ledger(config);
  const views = nodes.map((node) => nodeView(node, { liveness: 'live', ignoreExclude: false }));
  const fields = views.map((view) => [view.name, layOut(config, [view])] as const);
  const result = new Map<string, Has>();
  for (const service of services) {
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    if (!adopt(ledger, service)) continue;
    const l2 = fields.flatMap(([name, field]) => {
      const on = announcedAlone(name, field, service);
      return on ? [[name, on] as const] : [];
    });
    const bgp = views.filter((n) => bgpFrom(n, { config, peers }, service)).map((n) => n.name);
    result.set(key, { l2: new Map(l2), bgp: new Set(bgp) });
  }
  return result;
}

/** The interfaces on which the node would announce if it were the only one; undefined: it would not. */
function announcedAlone(name: string, field: Field, service: Service): Interfaces | undefined {
  const endpoint = { addresses: ['10.0.0.1'], nodeName: name, ready: true };
  const slice = {
    metadata: { name, uid: name, resourceVersion: '1', generation: 1, labels: {}, annotations: {} },
    serviceName: service.metadata.name,
    endpoints: [endpoint],
  };
  const result = elected({ node: name, service, slices: [slice], field });
  return result.announce ? result.interfaces : undefined;
}

function bgpFrom(
  node: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
  { config, peers }: Force,
  service: Service,
): boolean {
  const address = parseAddress(service.status.ingress[0]?.ip ?? '');
  const pool = address && poolOf(config, address);
  const inSession = (peer: BGPPeer) => {
    const selectors = (peer.spec.nodeSelectors ?? []).map(parseSelector);
    return (
      selectors.length === 0 || selectors.some((s) => 'requirements' in s && selectorMatches(s, node.labels))
    );
  };
  return config.bgp.some(
    (ad) =>
      pool !== undefined &&
      ad.pools.has(pool.name) &&
      (ad.serviceSelectors.length === 0 ||
        ad.serviceSelectors.some((s) => selectorMatches(s, service.metadata.labels))) &&
      (ad.nodeSelectors.length === 0 || ad.nodeSelectors.some((s) => selectorMatches(s, node.labels))) &&
      peers.some((p) => (ad.peers.length === 0 || ad.peers.includes(p.metadata.name)) && inSession(p)),
  );
}

/** What a Service lost between two moments, in words; undefined when nothing. */
export function loss(service: Service, before: Has | undefined, after: Has | undefined): string | undefined {
  if (!before) return undefined;
  if (!after) return 'its address';
  for (const protocol of ['l2', 'bgp'] as const) {
    const [was, is] = [before[protocol], after[protocol]];
    if (was.size === 0) continue;
    if (is.size === 0) return `its announcement by ${protocol}`;
    const missing = [...was.keys()].find((node) => !is.has(node));
    if (service.spec.externalTrafficPolicy === 'Local' && missing !== undefined)
      return `its announcement by ${protocol} from ${missing}`;
  }
  return lostInterface(before.l2, after.l2);
}

/** A node that goes on announcing keeps its interfaces; where none goes on, the others do so on those of some node before. */
function lostInterface(before: Has['l2'], after: Has['l2']): string | undefined {
  const covers = (outer: Interfaces, inner: Interfaces) =>
    outer === 'all' || (inner !== 'all' && [...inner].every((name) => outer.has(name)));
  if (before.size === 0) return undefined;
  const both = [...after].filter(([node]) => before.has(node));
  const worse =
    both.length > 0
      ? both.find(([node, now]) => !covers(now, before.get(node) ?? new Set()))
      : [...after].find(([, now]) => ![...before.values()].some((was) => covers(now, was)));
  return worse && `interfaces of ${worse[0]}`;
}
