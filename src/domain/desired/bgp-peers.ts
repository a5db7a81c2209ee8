import { BFDProfiles, type BGPPeerSpec, BGPPeers } from '../api/metallb.ts';
import { type LabelSelector, parseSelector, selectorText } from '../api/selector.ts';
import { type BgpMistake, type BgpSet, needsFrr } from './bgp-set.ts';
import { parseDuration } from './duration.ts';
import type { View } from './object.ts';
import { typedAs } from './typed.ts';

/** A peer among the others. */
export interface BgpPeer<T extends View> {
  readonly of: T;
  readonly spec: BGPPeerSpec;
  readonly nodes: Nodes;
  /** Its BFD profile sends echo packets. */
  readonly echo: boolean;
}

export function bgpPeersOf<T extends View>(objects: readonly T[]): readonly BgpPeer<T>[] {
  const echoing = new Set(
    objects.filter((of) => typedAs(of, BFDProfiles)?.spec.echoMode === true).map(({ name }) => name),
  );
  return objects.flatMap((of) => {
    const spec = typedAs(of, BGPPeers)?.spec;
    if (!spec) return [];
    return [{ of, spec, nodes: readNodes(spec.nodeSelectors), echo: echoing.has(spec.bfdProfile ?? '') }];
  });
}

/** A choice of nodes, as far as it can be told without the nodes: the selectors' texts, of which one is enough. */
type Nodes = ReadonlySet<string>;
const EVERY_NODE = '';

export function readNodes(selectors: readonly LabelSelector[] = []): Nodes {
  const texts = selectors.map((raw) => {
    const selector = parseSelector(raw);
    return 'error' in selector ? JSON.stringify(raw) : selectorText(selector);
  });
  return new Set(texts.length === 0 ? [EVERY_NODE] : texts);
}

/** Whether two choices have a node in common, given that each has one at all. */
export function sureToMeet(a: Nodes, b: Nodes): boolean {
  return a.has(EVERY_NODE) || b.has(EVERY_NODE) || [...a].some((text) => b.has(text));
}

const FRR_ONLY: readonly (keyof BGPPeerSpec)[] = [
  'bfdProfile',
  'keepaliveTime',
  'vrf',
  'connectTime',
  'enableGracefulRestart',
  'disableMP',
  'dualStackAddressFamily',
  'dynamicASN',
  'interface',
  'localASN',
];

/** What is wrong with peers and BFD profiles under the back end that is to carry them out. */
export function peerMistakes<T extends View>(set: BgpSet<T>, peers: readonly BgpPeer<T>[]): BgpMistake<T>[] {
  const selectors = peers.flatMap(({ of, spec }) => selectorMistakes(of, spec.nodeSelectors));
  return [
    ...selectors,
    ...(set.backEnd === 'native' ? beyondNative(set.objects, peers) : clashes(set, peers)),
  ];
}

function selectorMistakes<T extends View>(of: T, selectors: readonly LabelSelector[] = []): BgpMistake<T>[] {
  const seen = new Set<string>();
  return selectors.flatMap((raw, i): BgpMistake<T>[] => {
    const field = `spec.nodeSelectors[${i}]`;
    const selector = parseSelector(raw);
    if ('error' in selector)
      return [
        { code: 'SelectorInvalid', of, field, message: 'is not a label selector', detail: selector.error },
      ];
    const text = selectorText(selector);
    if (seen.has(text))
      return [{ code: 'SelectorDuplicate', of, field, message: 'stands in the list twice' }];
    seen.add(text);
    return [];
  });
}

/** What upstream's own BGP code cannot do. */
function beyondNative<T extends View>(objects: readonly T[], peers: readonly BgpPeer<T>[]): BgpMistake<T>[] {
  const profiles = objects
    .filter((of) => typedAs(of, BFDProfiles))
    .map((of) => needsFrr(of, 'metadata.name', 'BFD'));
  const fields = peers.flatMap(({ of, spec }) =>
    FRR_ONLY.filter((key) => isSet(spec, key)).map((key) => needsFrr(of, `spec.${key}`)),
  );
  return [...profiles, ...fields];
}

function isSet(spec: BGPPeerSpec, key: keyof BGPPeerSpec): boolean {
  const value = spec[key];
  if (key === 'keepaliveTime') return typeof value === 'string' && parseDuration(value) !== 0n;
  return value !== undefined && value !== '' && value !== false;
}

/** One FRR per node speaks to all peers of that node: what they say about the node itself must agree. */
function clashes<T extends View>({ place }: BgpSet<T>, peers: readonly BgpPeer<T>[]): BgpMistake<T>[] {
  return peers.flatMap((peer, n) => {
    const beside = peers.slice(0, n).filter((other) => sureToMeet(other.nodes, peer.nodes));
    const inVrf = beside.filter((other) => (other.spec.vrf ?? '') === (peer.spec.vrf ?? ''));
    const found: BgpMistake<T>[] = [];
    const report = (key: keyof BGPPeerSpec, other: BgpPeer<T> | undefined, rule: string) => {
      const field = `spec.${key}`;
      if (!other) return;
      const relation = peer.spec[key] === other.spec[key] ? 'is the same as' : 'differs from';
      const message = `${relation} ${place(other.of, field)}: a node has one ${rule}`;
      found.push({ code: 'PeersClash', of: peer.of, field, message });
    };
    const otherId = beside.find((o) => (o.spec.routerID ?? '') !== (peer.spec.routerID ?? ''));
    report('routerID', otherId, 'router ID for all its sessions');
    const otherAsn = inVrf.find((o) => o.spec.myASN !== peer.spec.myASN);
    report('myASN', otherAsn, 'AS number in each VRF');
    const twin = inVrf.find((o) => routerOf(o.spec) === routerOf(peer.spec));
    report(peer.spec.peerAddress ? 'peerAddress' : 'interface', twin, 'session with each router');
    return found;
  });
}

function routerOf({ peerAddress, interface: name }: BGPPeerSpec): string {
  return peerAddress || name || '';
}
