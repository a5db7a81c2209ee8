import { IPAddressPools, L2Advertisements } from '../api/metallb.ts';
import type { PartOf } from './causes.ts';
import { findRoom, type Need } from './elsewhere.ts';
import type { Hurt } from './hurt.ts';
import type { Affected } from './model.ts';
import { PROTOCOLS, type Reach } from './reach.ts';
import type { Matter, Safe } from './safe.ts';
import type { Subject } from './subject.ts';
import type { Standing, World } from './world.ts';

/** What becomes of Services that are hurt. */
export interface Fates {
  /** Whether the Service has somewhere to go. */
  readonly canGo: (subject: Subject) => boolean;
  /** The account of one hurt. */
  readonly of: (hurt: Hurt) => Affected;
}

/** Weighs all hurts of a judgement at once: whoever needs an address needs it from the same pools, and so do those who wait for one. */
export function fatesOf(matter: Matter, { kept, allowed, whole }: Safe): Fates {
  const hurts = [...whole.hurts, ...kept.hurts(), ...allowed.hurts()];
  const lost = new Set(hurts.filter((h) => h.aspect === 'address').map((h) => h.subject));
  const hurt = new Set(hurts.map((h) => h.subject));
  const standings = new Map(matter.subjects.map((subject, i) => [subject, matter.standings[i]]));
  const settled = matter.subjects.filter((s) => hurt.has(s) && s.moving !== 'from');
  // Who loses an address at once asks for another like everybody else; the others keep what they have until they have another.
  const evicted = new Set(allowed.hurts().flatMap((h) => (h.aspect === 'address' ? [h.subject] : [])));
  const needs: Need[] = [
    ...matter.waiting.map((want) => ({ want })),
    ...settled
      .filter((s) => lost.has(s))
      .map((subject) => ({ want: subject.want, subject, replaces: !evicted.has(subject) })),
    ...settled
      .filter((s) => !lost.has(s))
      .map((subject) => {
        const suits = announces(standings.get(subject), whole.world, subject);
        return { want: subject.want, subject, replaces: true, ...(suits && { suits }) };
      }),
  ];
  const holding = matter.subjects.filter((s) => !lost.has(s));
  const found = hurts.length === 0 ? [] : findRoom(whole.world.config, holding, needs);
  const going = new Set([...found].map((need) => need.subject));
  // One that is on its way has other addresses in hand.
  const canGo = (subject: Subject) => subject.moving === 'from' || going.has(subject);
  const told = new Map<Hurt, Affected>();
  const tellOf = ({ subject, aspect, reason }: Hurt): Affected => ({
    service: subject.want.key,
    addresses: subject.texts,
    fate: aspect !== 'address' ? 'unannounced' : canGo(subject) ? 'moves' : 'loses',
    reason,
  });
  return {
    canGo,
    of(hurt) {
      const account = told.get(hurt) ?? tellOf(hurt);
      told.set(hurt, account);
      return account;
    },
  };
}

/** Whether the Service would be announced out of a pool by both protocols, as far as they announce it now. */
function announces(before: Standing | undefined, after: World, subject: Subject): Need['suits'] {
  if (!before || !('pool' in before)) return { key: '', test: () => false };
  const wanted = PROTOCOLS.filter((protocol) => before.reach.nodes[protocol].size > 0);
  return {
    key: `${wanted.join()} ${after.announcing.likeness(subject)}`,
    test: (pool) => {
      const { nodes } = after.announcing.reach(pool, subject);
      return wanted.every((protocol) => nodes[protocol].size > 0);
    },
  };
}

/** A Service that keeps everything, and is announced by another node. */
export interface NewOwner {
  readonly affected: Affected;
  /** The writes that make it so. */
  readonly causes: readonly PartOf['id'][];
}

/** Whom another node would announce on layer 2 if all writes were done, as far as one can tell without knowing where endpoints run, nor which interfaces are lost. */
export function newOwners(matter: Matter, { whole }: Safe): readonly NewOwner[] {
  const hurt = new Set(whole.hurts.map((h) => h.subject));
  return matter.subjects.flatMap((subject, i) => {
    const before = matter.standings[i];
    if (!before || !('pool' in before) || hurt.has(subject) || subject.moving) return [];
    const after = whole.world.standing(subject);
    if (!('pool' in after) || sameNodes(before, after)) return [];
    const [from, to] = [
      matter.before.announcing.owner(before.pool, subject),
      whole.world.announcing.owner(after.pool, subject),
    ];
    if (from === undefined || to === undefined || from === to) return [];
    const reason = `${to} would announce it instead of ${from}, if both have endpoints for it and no interface is lost`;
    const affected: Affected = {
      service: subject.want.key,
      addresses: subject.texts,
      fate: 'changes-owner',
      reason,
    };
    return [{ affected, causes: causesOf(matter, before, after) }];
  });
}

type Served = Extract<Standing, { readonly pool: string }>;

function sameNodes(before: Served, after: Served): boolean {
  const [was, is] = [before.reach.nodes.l2, after.reach.nodes.l2];
  return was === is || (was.size === is.size && [...was].every((node) => is.has(node)));
}

/** Advertisements that gain or lose nodes for the Service; else the pools that it changes between. */
function causesOf({ writes }: Matter, before: Served, after: Served): readonly string[] {
  const nodes = (reach: Reach, ad: string) => [...(reach.by.l2.get(ad) ?? [])].sort().join();
  const ads = [...new Set([...before.reach.by.l2.keys(), ...after.reach.by.l2.keys()])]
    .filter((ad) => nodes(before.reach, ad) !== nodes(after.reach, ad))
    .map((ad) => `${L2Advertisements.kind} ${ad}`)
    .filter((id) => writes.has(id));
  const pools = [before.pool, after.pool].map((name) => `${IPAddressPools.kind} ${name}`);
  return ads.length > 0 ? ads : [...new Set(pools)].filter((id) => writes.has(id));
}
