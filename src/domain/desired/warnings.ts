import { BGPAdvertisements, IPAddressPools, L2Advertisements } from '../api/metallb.ts';
import type { Problem } from '../api/problem.ts';
import { isPool } from './collide.ts';
import { isObject } from './json.ts';
import { idOf, openContent, type View } from './object.ts';
import { placeOf } from './path.ts';
import type { Member, Share } from './share.ts';
import { type Finding, problemOf } from './source.ts';

/** What works and most likely is not meant. */
export function warnings(share: Share, members: readonly Member[]): Problem[] {
  if (share.state !== 'accepted') return [];
  const tell = (finding: Omit<Finding, 'severity'>) =>
    problemOf(share.built.source, { ...finding, severity: 'warning' });
  const names = (kind: View['kind']) =>
    new Set(members.filter((m) => m.kind.kind === kind.kind).map((m) => m.name));
  return [...unadvertised(share, members, tell), ...dangling(share, names, tell)];
}

function unadvertised(
  share: Share,
  members: readonly Member[],
  tell: (finding: Omit<Finding, 'severity'>) => Problem,
): Problem[] {
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
        hint: 'add it to an entry of l2Advertisements or bgpAdvertisements',
      }),
    );
}

function dangling(
  share: Share,
  names: (kind: View['kind']) => ReadonlySet<string>,
  tell: (finding: Omit<Finding, 'severity'>) => Problem,
): Problem[] {
  const pools = names(IPAddressPools);
  return share.built.objects.flatMap((o) => {
    const { spec } = openContent(o.content);
    if (!isObject(spec)) return [];
    const listed = Array.isArray(spec.ipAddressPools) ? spec.ipAddressPools : [];
    return listed.flatMap((name: unknown, i) =>
      typeof name === 'string' && !pools.has(name)
        ? [
            tell({
              code: 'UnknownPool',
              object: idOf(o),
              path: placeOf(o, `spec.ipAddressPools[${i}]`),
              message: 'there is no pool of this name',
            }),
          ]
        : [],
    );
  });
}
