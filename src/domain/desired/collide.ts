import { ADOPT } from '../api/annotations.ts';
import { IPAddressPools } from '../api/metallb.ts';
import { type DesiredObject, idOf, isOurs, type LiveObject, type View, viewOf } from './object.ts';
import { placeOf } from './path.ts';
import { type Entry, overlaps } from './ranges.ts';
import { addressesOf, covers, entriesOf, otherPlace } from './rules.ts';
import { type Member, refuse, type Share } from './share.ts';
import type { Finding } from './source.ts';

/** A name that somebody else's object has, unless that object says that this source may have it. */
export function refuseTaken(members: readonly Member[], live: readonly LiveObject[], instance: string): void {
  const foreign = new Map(live.filter((o) => !isOurs(o, instance)).map((o) => [idOf(viewOf(o)), o]));
  for (const { owner, fresh } of members) {
    if (!owner || !fresh) continue;
    const other = foreign.get(idOf(fresh));
    if (!other || other.metadata.annotations[ADOPT] === owner.built.source.name) continue;
    refuse(owner, {
      code: 'NameTaken',
      object: idOf(fresh),
      path: fresh.path,
      message: 'an object of this name exists that Herald did not make',
      hint: `rename it here, delete it there, or annotate it ${ADOPT}=${owner.built.source.name}`,
    });
  }
}

/** One object in two sources. Who rendered the live one wins. */
export function refuseTwins(shares: readonly Share[]): void {
  const claims = new Map<string, { share: Share; fresh: DesiredObject }[]>();
  for (const share of shares) {
    if (share.state !== 'accepted') continue;
    for (const fresh of share.built.objects)
      claims.set(idOf(fresh), [...(claims.get(idOf(fresh)) ?? []), { share, fresh }]);
  }
  const liveIds = new Map(shares.map((s) => [s, new Set(s.live.map((o) => idOf(viewOf(o))))]));
  for (const [id, claim] of claims) {
    const holders = shares.filter((s) => liveIds.get(s)?.has(id));
    // A source that fell, and whose live object this is, holds the name as well.
    const fallen = holders.some((h) => h.state !== 'accepted');
    if (claim.length < 2 && !fallen) continue;
    for (const { share, fresh } of claim) {
      if (!fallen && holders.includes(share)) continue;
      const others = [...claim.map((c) => c.share), ...holders].filter((s) => s !== share);
      const titles = [...new Set(others.map((s) => s.built.source.title))].join(', ');
      refuse(share, {
        code: 'ObjectInTwoSources',
        object: id,
        path: fresh.path,
        message: `is also defined by ${titles}`,
        hint: holders.length > 0 ? 'the one that was there first stays' : 'neither is carried out',
      });
    }
  }
}

/** Addresses that two pools of different owners share. Those that are live already win. */
export function refuseOverlaps(members: readonly Member[]): void {
  const live = new Map<Share, Entry<View>[]>();
  const liveOf = (share: Share) => {
    const known = live.get(share) ?? share.live.filter(isPool).flatMap((o) => entriesOf<View>(viewOf(o)));
    live.set(share, known);
    return known;
  };
  /** Whether an entry of a pool was there before: as foreign object, as part of a fallen source, or as live range. */
  const isLive = (e: Entry<Member>) =>
    e.owner.owner?.state !== 'accepted' || liveOf(e.owner.owner).some((l) => covers(l.range, e.range));
  const entries = members.filter(isPool).flatMap((m) => entriesOf(m));
  for (const [a, b] of overlaps(entries)) {
    if (a.owner === b.owner || (a.owner.owner && a.owner.owner === b.owner.owner)) continue;
    for (const [loser, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const { owner, fresh } = loser.owner;
      if (!owner || !fresh || owner.state !== 'accepted') continue;
      if (isLive(loser) && !isLive(other)) continue;
      refuse(owner, overlapFinding(loser, fresh, other));
    }
  }
}

export function isPool(o: { readonly kind: View['kind'] }): boolean {
  return o.kind.kind === IPAddressPools.kind;
}

function overlapFinding(loser: Entry<Member>, fresh: DesiredObject, other: Entry<Member>): Finding {
  const { owner, fresh: otherFresh } = other.owner;
  const title = owner ? owner.built.source.title : 'an object that Herald did not make';
  const place = otherFresh ? otherPlace(otherFresh, other.field) : idOf(other.owner);
  const text = (e: Entry<Member>) =>
    addressesOf(e.owner)[entriesOf(e.owner).findIndex((x) => x.field === e.field)];
  return {
    code: 'PoolOverlap',
    object: idOf(fresh),
    path: placeOf(fresh, loser.field),
    message: `the range shares addresses with ${place} (${title})`,
    detail: owner?.built.source.secret
      ? `${text(loser)} shares addresses with ${place} (${title})`
      : `${text(loser)} shares addresses with ${text(other)} of ${place} (${title})`,
  };
}
