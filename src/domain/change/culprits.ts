import { BGPAdvertisements, BGPPeers, IPAddressPools, L2Advertisements } from '../api/metallb.ts';
import { rangeContains } from '../ip/range.ts';
import { holds } from '../ip/ranges.ts';
import type { PartOf } from './causes.ts';
import { idOfWrite, type Update, type Write } from './diff.ts';
import type { Aspect, Hurt } from './hurt.ts';
import { changesField, isPoolUpdate, leaving } from './parts.ts';
import { coversInterfaces, type Protocol, type Reach } from './reach.ts';
import { addressesOf } from './widen.ts';
import type { World } from './world.ts';

/** How far one looks for what hurts: what does it by itself, all that has to do with it, everything. */
export type Level = 0 | 1 | 2;

export interface Blamed {
  readonly writes: ReadonlyMap<string, Write>;
  readonly before: World;
  readonly after: World;
  readonly isKept: (part: PartOf) => boolean;
}

/** The parts of writes that hurt a Service; parts that are put back already may be among them. */
export function culprits(scene: Blamed, hurt: Hurt, level: Level): readonly PartOf[] {
  if (level === 2) return [...scene.writes.keys()].map(whole);
  if (level === 1) return around(scene, hurt).map(whole);
  if (hurt.aspect === 'address' || hurt.holder !== hurt.pool) return ofPool(scene, hurt);
  return ofReach(scene, hurt, hurt.aspect);
}

const whole = (id: string): PartOf => ({ id, part: 'whole' });
const poolId = (name: string) => `${IPAddressPools.kind} ${name}`;

/** What took the addresses out of the pool, or the Service out of those who may use it. */
function ofPool({ writes }: Blamed, hurt: Hurt): readonly PartOf[] {
  const id = poolId(hurt.pool);
  const write = writes.get(id);
  if (write?.verb === 'delete') return [whole(id)];
  if (!write || !isPoolUpdate(write)) return [];
  if (hurt.holder === hurt.pool && hurt.trouble === 'avoided') return fieldOf(write, id, 'avoidBuggyIPs');
  if (hurt.holder === hurt.pool && hurt.trouble === 'not-for-it')
    return fieldOf(write, id, 'serviceAllocation');
  const after = addressesOf(write.object);
  const gone = hurt.subject.addresses.filter((address) => !holds(after, address));
  return leaving(write)
    .filter(({ range }) => gone.some((address) => rangeContains(range, address)))
    .map(({ index }) => ({ id, part: `entry ${index}` as const }));
}

function fieldOf(
  write: Update,
  id: string,
  part: 'serviceAllocation' | 'avoidBuggyIPs' | 'labels',
): readonly PartOf[] {
  return changesField(write, part) ? [{ id, part }] : [];
}

/** What made nodes stop announcing out of the pool. */
function ofReach(scene: Blamed, { subject, pool }: Hurt, protocol: Protocol): readonly PartOf[] {
  const [before, after] = [scene.before, scene.after].map((w) => w.announcing.reach(pool, subject));
  if (!before || !after) return [];
  const fewer = [
    ...fewerNodes(before, after, protocol),
    ...(protocol === 'l2' ? fewerInterfaces(scene, { before, after }) : []),
  ];
  const ads = fewer
    .map((name) => `${protocol === 'l2' ? L2Advertisements.kind : BGPAdvertisements.kind} ${name}`)
    .map((id) => ({ id, write: scene.writes.get(id) }));
  const changed = ads.filter(({ write }) => write !== undefined).map(({ id }) => whole(id));
  const stay = ads.some(({ id, write }) => write === undefined || scene.isKept(whole(id)));
  return [
    ...changed,
    ...(stay ? ofLabels(scene, pool) : []),
    ...(protocol === 'bgp' ? ofPeers(scene, fewer) : ofSilencers(scene, after)),
  ];
}

/** Advertisements that lose nodes, or all of them. */
function fewerNodes(before: Reach, after: Reach, protocol: Protocol): readonly string[] {
  return [...before.by[protocol]]
    .filter(([name, nodes]) => {
      const left = after.by[protocol].get(name);
      return left !== nodes && [...nodes].some((node) => !left?.has(node));
    })
    .map(([name]) => name);
}

/** Advertisements that leave out an interface which they were for. */
function fewerInterfaces(scene: Blamed, o: { readonly before: Reach; readonly after: Reach }) {
  const of = (world: World, name: string) => {
    const named = world.config.l2.find((ad) => ad.name === name)?.interfaces ?? [];
    return named.length === 0 ? 'all' : new Set(named);
  };
  return [...o.before.by.l2.keys()].filter(
    (name) => o.after.by.l2.has(name) && !coversInterfaces(of(scene.after, name), of(scene.before, name)),
  );
}

/** Advertisements may select a pool by its labels. */
function ofLabels({ writes }: Blamed, pool: string): readonly PartOf[] {
  const write = writes.get(poolId(pool));
  return write && isPoolUpdate(write) ? fieldOf(write, poolId(pool), 'labels') : [];
}

function ofPeers({ writes, before, after }: Blamed, ads: readonly string[]): readonly PartOf[] {
  const peers = new Set(ads.flatMap((ad) => before.announcing.peersOf(ad)));
  return [...peers]
    .filter((peer) => writes.has(`${BGPPeers.kind} ${peer}`))
    .filter((peer) => {
      const left = after.announcing.session(peer);
      return [...before.announcing.session(peer)].some((node) => !left.has(node));
    })
    .map((peer) => whole(`${BGPPeers.kind} ${peer}`));
}

function ofSilencers({ writes }: Blamed, after: Reach): readonly PartOf[] {
  const ids = after.silencers.map((name) => `${L2Advertisements.kind} ${name}`);
  return ids.filter((id) => writes.has(id)).map(whole);
}

const INVOLVED: Readonly<Record<Aspect, readonly string[]>> = {
  address: [],
  l2: [L2Advertisements.kind],
  bgp: [BGPAdvertisements.kind, BGPPeers.kind],
};

function around({ writes }: Blamed, { aspect, pool, holder }: Hurt): readonly string[] {
  const pools = [pool, ...(holder === undefined ? [] : [holder])].map(poolId);
  const reaching = [...writes.values()]
    .filter((w) => INVOLVED[aspect].includes((w.verb === 'delete' ? w.live : w.object).kind.kind))
    .map(idOfWrite);
  return [...pools.filter((id) => writes.has(id)), ...reaching];
}
