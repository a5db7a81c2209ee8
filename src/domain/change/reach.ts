import type { Node } from '../api/core.ts';
import type { BGPPeer } from '../api/metallb.ts';
import { type Selector, selectorMatches } from '../api/selector.ts';
import type { BGPAd, Config } from '../config/config.ts';
import { readSelectors } from '../config/selectors.ts';
import { isCordoned } from '../election/cordon.ts';
import { type AdView, type Field, layOut } from '../election/field.ts';
import { livenessByApi, type NodeView, nodeView } from '../election/nodes.ts';
import { adsFor, elect } from '../election/winner.ts';
import type { Subject } from './subject.ts';

export const PROTOCOLS = ['l2', 'bgp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Nodes as announcing sees them. */
export interface Ground {
  /** Nodes that may announce: neither cut off from the network nor excluded by label. */
  readonly able: readonly NodeView[];
  /** Those of them that are Ready. */
  readonly ready: ReadonlySet<string>;
}

/** That all speakers heed cordons is taken for granted; which interfaces are lost only they know. */
export function groundOf(nodes: readonly Node[], ignoreExclude: boolean): Ground {
  const views = nodes.map((node) => ({
    ...nodeView(node, { liveness: livenessByApi(node, undefined), ignoreExclude }),
    cordoned: isCordoned(node),
  }));
  const able = views.filter((n) => !n.networkUnavailable && !n.excluded);
  return { able, ready: new Set(able.filter((n) => n.liveness === 'live').map((n) => n.name)) };
}

/** Names that the advertisements give; "all" where one of them gives none. */
export type Interfaces = 'all' | ReadonlySet<string>;

export function coversInterfaces(outer: Interfaces, inner: Interfaces): boolean {
  if (outer === 'all') return true;
  return inner !== 'all' && [...inner].every((name) => outer.has(name));
}

/** The nodes that could announce a Service out of a pool, by protocol. */
export interface Reach {
  readonly nodes: Readonly<Record<Protocol, ReadonlySet<string>>>;
  /** The same by advertisement, those without any node left out. */
  readonly by: Readonly<Record<Protocol, ReadonlyMap<string, ReadonlySet<string>>>>;
  /** Of each node that could announce it on layer 2, the interfaces on which it would. */
  readonly interfaces: ReadonlyMap<string, Interfaces>;
  /** Advertisements that silence the Service on layer 2, because it shares its address and they have serviceSelectors. */
  readonly silencers: readonly string[];
}

export interface Announcing {
  reach(pool: string, subject: Subject): Reach;
  /** Equal for Services that have the same reach, whatever the pool. */
  likeness(subject: Subject): string;
  /** The node that announces on layer 2 if each node has an endpoint. */
  owner(pool: string, subject: Subject): string | undefined;
  /** Nodes that hold a session with the peer. */
  session(peer: string): ReadonlySet<string>;
  /** Peers that a BGPAdvertisement is for. */
  peersOf(ad: string): readonly string[];
}

/** Who would announce what. Where endpoints run is not looked at, nor which interfaces a node has: an interface that is named counts. */
export function announcing(config: Config, peers: readonly BGPPeer[], ground: Ground): Announcing {
  const field = layOut(config, ground.able);
  const sessions = new Map(peers.map((peer) => [peer.metadata.name, sessionNodes(peer, ground)]));
  const bgp = bgpField(config, sessions, ground);
  const spots = new Map<string, Spot>();
  const choosy = [...config.l2, ...config.bgp].filter(isChoosy);
  return {
    reach(pool, subject) {
      const spot = spots.get(pool) ?? spotOf(field, bgp.get(pool) ?? [], pool);
      spots.set(pool, spot);
      const key = likenessOf(spot.choosy, subject);
      const made = spot.known.get(key) ?? reachOf(field, spot.bgp, { pool, subject });
      spot.known.set(key, made);
      return made;
    },
    likeness: (subject) => likenessOf(choosy, subject),
    owner(pool, subject) {
      const ads = adsFor(field, pool, subject.want.labels);
      return elect({ field, ads, firstAddress: subject.texts[0] ?? '' }).owner?.node;
    },
    session: (peer) => sessions.get(peer) ?? NOBODY,
    peersOf(name) {
      const listed = config.bgp.find((ad) => ad.name === name)?.peers ?? [];
      return listed.length > 0 ? listed : [...sessions.keys()];
    },
  };
}

const NOBODY: ReadonlySet<string> = new Set();

/** A BGPAdvertisement and the nodes that it makes announce: selected by it, and in session with a peer of it. */
interface BgpView {
  readonly ad: BGPAd;
  readonly nodes: ReadonlySet<string>;
}

type Asked = { readonly pool: string; readonly subject: Subject };

/** What a pool's advertisements make of Services. */
interface Spot {
  readonly bgp: readonly BgpView[];
  readonly choosy: readonly Choosy[];
  /** By likeness. */
  readonly known: Map<string, Reach>;
}

type Choosy = Pick<BGPAd, 'serviceSelectors'>;

const isChoosy = (ad: Choosy) => ad.serviceSelectors.length > 0;

function spotOf(field: Field, bgp: readonly BgpView[], pool: string): Spot {
  const ads = [...(field.ads.get(pool) ?? []), ...bgp].map(({ ad }) => ad);
  return { bgp, choosy: ads.filter(isChoosy), known: new Map() };
}

/** Equal for Services that all these advertisements treat alike. */
function likenessOf(choosy: readonly Choosy[], subject: Subject): string {
  if (choosy.length === 0) return '';
  let text = subject.shared ? 's' : '-';
  for (const { serviceSelectors } of choosy) text += isFor(serviceSelectors, subject) ? '1' : '0';
  return text;
}

function reachOf(field: Field, bgp: readonly BgpView[], { pool, subject }: Asked): Reach {
  const l2 = adsFor(field, pool, subject.want.labels);
  const silencers = subject.shared ? l2.filter(({ ad }) => isChoosy(ad)) : [];
  const heard = silencers.length > 0 ? [] : l2;
  const by = {
    l2: withNodes(heard.map(({ ad, scores }) => [ad.name, new Set(scores.keys())] as const)),
    bgp: withNodes(
      bgp
        .filter(({ ad }) => isFor(ad.serviceSelectors, subject))
        .map(({ ad, nodes }) => [ad.name, nodes] as const),
    ),
  };
  return {
    nodes: { l2: unionOf(by.l2.values()), bgp: unionOf(by.bgp.values()) },
    by,
    interfaces: interfacesOf(heard),
    silencers: silencers.map(({ ad }) => ad.name),
  };
}

function interfacesOf(ads: readonly AdView[]): ReadonlyMap<string, Interfaces> {
  const byNode = new Map<string, Interfaces>();
  for (const { ad, scores } of ads)
    for (const node of scores.keys()) {
      const known = byNode.get(node) ?? [];
      const all = known === 'all' || ad.interfaces.length === 0;
      byNode.set(node, all ? 'all' : new Set([...known, ...ad.interfaces]));
    }
  return byNode;
}

function withNodes(list: readonly (readonly [string, ReadonlySet<string>])[]) {
  return new Map(list.filter(([, nodes]) => nodes.size > 0));
}

function bgpField(
  config: Config,
  sessions: ReadonlyMap<string, ReadonlySet<string>>,
  ground: Ground,
): ReadonlyMap<string, readonly BgpView[]> {
  const all = unionOf(sessions.values());
  const byPool = new Map<string, BgpView[]>();
  for (const ad of config.bgp) {
    const inSession =
      ad.peers.length === 0 ? all : unionOf(ad.peers.map((peer) => sessions.get(peer) ?? NOBODY));
    const nodes = selected(ad.nodeSelectors, ground).filter((name) => inSession.has(name));
    const view = { ad, nodes: new Set(nodes) };
    for (const pool of ad.pools) {
      const views = byPool.get(pool);
      if (views) views.push(view);
      else byPool.set(pool, [view]);
    }
  }
  return byPool;
}

function sessionNodes({ spec, metadata }: BGPPeer, ground: Ground): ReadonlySet<string> {
  // A selector that is none never came past the check of the set.
  const selectors = readSelectors(spec.nodeSelectors, metadata.name, () => undefined);
  return new Set(selected(selectors, ground));
}

function selected(selectors: readonly Selector[], ground: Ground): readonly string[] {
  return ground.able
    .filter((n) => selectors.length === 0 || selectors.some((s) => selectorMatches(s, n.labels)))
    .map((n) => n.name);
}

function isFor(selectors: readonly Selector[], { want }: Subject): boolean {
  return selectors.length === 0 || selectors.some((s) => selectorMatches(s, want.labels));
}

function unionOf(sets: Iterable<ReadonlySet<string>>): ReadonlySet<string> {
  const all = new Set<string>();
  for (const set of sets) for (const item of set) all.add(item);
  return all;
}
