import { QUARANTINED, STRATEGY } from '../api/annotations.ts';
import { AddressQuotas, Reservations } from '../api/herald.ts';
import {
  BFDProfiles,
  BGPAdvertisements,
  BGPPeers,
  Communities,
  IPAddressPools,
  L2Advertisements,
} from '../api/metallb.ts';
import type { Problem } from '../api/problem.ts';
import { isPool } from './collide.ts';
import { isObject } from './json.ts';
import { idOf, openContent, type View } from './object.ts';
import { placeOf } from './path.ts';
import type { Member, Share } from './share.ts';
import { type Finding, problemOf } from './source.ts';
import { typedAs } from './typed.ts';

/** What works and most likely is not meant. */
export function warnings(share: Share, members: readonly Member[]): Problem[] {
  if (share.state !== 'accepted') return [];
  const tell = (finding: Omit<Finding, 'severity'>) =>
    problemOf(share.built.source, { ...finding, severity: 'warning' });
  return [
    ...unadvertised(share, members, tell),
    ...dangling(share, members, tell),
    ...unheard(share, members, tell),
  ];
}

/** How each dialect says that a pool is announced, where that is not as in Herald's own values. */
const ANNOUNCE: Readonly<Record<string, string>> = {
  objects: 'name it in an L2Advertisement or a BGPAdvertisement',
  'kubespray-config': 'add it to metallb_config.layer2, or to the address_pool of a peer',
  'palette-helm': 'add it to an entry of l2advertisements or bgpadvertisements',
};

function unadvertised(
  share: Share,
  members: readonly Member[],
  tell: (finding: Omit<Finding, 'severity'>) => Problem,
): Problem[] {
  if (share.built.elsewhere) return [];
  const ads = members.filter((m) => [L2Advertisements.kind, BGPAdvertisements.kind].includes(m.kind.kind));
  const specs = ads.map((ad) => openContent(ad.content).spec).filter(isObject);
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  // Selectors are not evaluated: an advertisement with one may select any pool.
  const takesAny = specs.some(
    (s) => list(s.ipAddressPools).length === 0 || list(s.ipAddressPoolSelectors).length > 0,
  );
  if (takesAny) return [];
  const named = new Set(specs.flatMap((s) => list(s.ipAddressPools)));
  return share.built.objects
    .filter((o) => isPool(o) && !named.has(o.name))
    .map((o) =>
      tell({
        code: 'PoolNotAdvertised',
        object: idOf(o),
        path: o.path,
        message: 'nothing announces the pool: its addresses are given out and cannot be reached',
        hint:
          ANNOUNCE[share.built.dialect ?? ''] ??
          'add it to an entry of l2Advertisements or bgpAdvertisements',
      }),
    );
}

/** Names that nothing answers to. Upstream ignores them, or waits for what they name. */
function dangling(
  share: Share,
  members: readonly Member[],
  tell: (finding: Omit<Finding, 'severity'>) => Problem,
): Problem[] {
  const names = (kind: View['kind']) =>
    new Set(members.filter((m) => m.kind.kind === kind.kind).map((m) => m.name));
  const aliases = members.flatMap((m) => typedAs(m, Communities)?.spec.communities ?? []);
  const known = {
    ipAddressPools: names(IPAddressPools),
    peers: names(BGPPeers),
    bfdProfile: names(BFDProfiles),
    communities: new Set(aliases.map(({ name }) => name)),
  };
  return share.built.objects.flatMap((o) => {
    const { spec } = openContent(o.content);
    if (!isObject(spec)) return [];
    return REFERENCES.flatMap(([key, code, message]) => {
      const value = spec[key];
      const listed = (Array.isArray(value) ? value : [value]).entries();
      return [...listed].flatMap(([i, name]: [number, unknown]) => {
        // A community with a colon is one; an empty name names nothing.
        if (typeof name !== 'string' || name === '' || (key === 'communities' && name.includes(':')))
          return [];
        if (known[key].has(name)) return [];
        const field = Array.isArray(value) ? `spec.${key}[${i}]` : `spec.${key}`;
        return [tell({ code, object: idOf(o), path: placeOf(o, field), message })];
      });
    });
  });
}

/** What only Herald's controller knows, where another gives the addresses. */
function unheard(
  share: Share,
  members: readonly Member[],
  tell: (finding: Omit<Finding, 'severity'>) => Problem,
): Problem[] {
  const shares = [share, ...members.flatMap(({ owner }) => owner ?? [])];
  if (!shares.some(({ built }) => built.values?.controller?.enabled === false)) return [];
  const finding = (o: View & { readonly path: string }, what: string) =>
    tell({
      code: 'OtherController',
      object: idOf(o),
      path: o.path,
      message: `${what} has no effect: controller.enabled is false, and the other controller does not know it`,
    });
  return share.built.objects.flatMap((o) => {
    if ([Reservations.kind, AddressQuotas.kind].includes(o.kind.kind)) return [finding(o, o.kind.kind)];
    const heard = [STRATEGY, QUARANTINED].filter((name) => o.annotations[name] !== undefined);
    return isPool(o) ? heard.map((name) => finding(o, name)) : [];
  });
}

const REFERENCES = [
  ['ipAddressPools', 'UnknownPool', 'there is no pool of this name'],
  ['peers', 'UnknownPeer', 'there is no BGP peer of this name'],
  ['bfdProfile', 'UnknownBfdProfile', 'there is no BFD profile of this name'],
  ['communities', 'UnknownCommunity', 'is neither a community nor an alias that a Community defines'],
] as const;
