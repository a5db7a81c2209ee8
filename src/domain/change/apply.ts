import { BGPAdvertisements, IPAddressPools, L2Advertisements } from '../api/metallb.ts';
import { type DesiredObject, idOf, type LiveObject } from '../desired/object.ts';
import type { Causes } from './causes.ts';
import { type Diff, idOfWrite, type Update, updateOf, type Write } from './diff.ts';
import { canMark, type Mark, type Marks, poolIdOf, withMarks } from './marks.ts';
import type { JudgeInput } from './model.ts';
import { composed, restated } from './parts.ts';
import { type Plan, staged } from './plan.ts';
import type { Matter } from './safe.ts';
import { isPool } from './widen.ts';
import type { World } from './world.ts';

/** The writes that are done, by object: those that are safe or allowed, and the marks. */
export function appliedWrites(
  { input, found, kept }: { readonly input: JudgeInput; readonly found: Diff; readonly kept: Causes },
  marks: Marks,
  pools: ReadonlyMap<string, LiveObject>,
): ReadonlyMap<string, Write> {
  const writes = new Map<string, Write>();
  for (const write of found.writes) {
    const id = idOfWrite(write);
    const now = composed(write, kept.of(id));
    const done = writeOf(write, now, { mark: markOf(write, marks), instance: input.instance });
    if (done) writes.set(id, done);
  }
  const touched = new Set(found.writes.map(idOfWrite));
  const desired = new Map(input.desired.filter(isPool).map((o) => [o.name, o]));
  for (const [name, mark] of marks) {
    const live = pools.get(name);
    if (!live || touched.has(poolIdOf(name))) continue;
    const done = updateOf(withMarks(desired.get(name) ?? restated(live), mark), live, input.instance);
    if (done) writes.set(poolIdOf(name), done);
  }
  return writes;
}

function markOf(write: Write, marks: Marks): Mark | undefined {
  const { kind } = write.verb === 'delete' ? write.live : write.object;
  if (kind.kind !== IPAddressPools.kind) return undefined;
  return marks.get(write.verb === 'delete' ? write.live.metadata.name : write.object.name);
}

function writeOf(
  write: Write,
  now: DesiredObject | LiveObject | undefined,
  o: { readonly mark: Mark | undefined; readonly instance: string },
): Write | undefined {
  if (write.verb === 'create') return now ? write : undefined;
  if (now === undefined) return write;
  const { live } = write;
  if ('metadata' in now) {
    // Of what stays as it is, only the marks are ours to change.
    if (!isPool(live) || !canMark(live, o.instance)) return undefined;
    const same = restated(live);
    return updateOf(o.mark ? withMarks(same, o.mark) : same, live, o.instance);
  }
  return updateOf(o.mark ? withMarks(now, o.mark) : now, live, o.instance);
}

/** What stages are made for: who is there, and the world that the writes lead to. */
export interface Staging {
  readonly input: JudgeInput;
  readonly matter: Matter;
  readonly world: World;
}

/** The writes in stages; those that both give and take are done in two where a live Service hangs on it. */
export function stagesOf(staging: Staging, writes: readonly Write[]): Plan['stages'] {
  return staged(writes, staging.input.live, (write) => isRelied(staging, write));
}

function isRelied({ input, matter, world }: Staging, { object }: Update): boolean {
  if (!input.scene) return true;
  const used = [matter.before, world].flatMap((w) => poolsOfAd(w, object));
  if (used.length === 0) return matter.standings.some((s) => 'pool' in s && s.reach.nodes.bgp.size > 0);
  const pools = new Set(used.flatMap((set) => [...set]));
  return matter.subjects.some((subject, i) => {
    const before = matter.standings[i];
    if (!before || !('pool' in before)) return false;
    if (pools.has(before.pool)) return true;
    const after = world.standing(subject);
    return 'pool' in after && pools.has(after.pool);
  });
}

function poolsOfAd({ config }: World, object: DesiredObject): readonly ReadonlySet<string>[] {
  const id = idOf(object);
  return [
    ...config.l2.filter((ad) => `${L2Advertisements.kind} ${ad.name}` === id),
    ...config.bgp.filter((ad) => `${BGPAdvertisements.kind} ${ad.name}` === id),
  ].map((ad) => ad.pools);
}
