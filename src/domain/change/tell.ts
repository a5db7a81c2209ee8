import { IPAddressPools } from '../api/metallb.ts';
import type { ChangePolicy } from '../api/values.ts';
import { type DesiredObject, idOf, type LiveObject } from '../desired/object.ts';
import { type Diff, idOfWrite, sourceOfWrite, type Update, updateOf, type Write } from './diff.ts';
import { digestOf, type Hurting } from './digest.ts';
import { fatesOf, newOwners } from './fates.ts';
import { canMark, type Mark, Marking, type Marks, poolIdOf, poolsOf, withMarks } from './marks.ts';
import type { Affected, Judged, JudgeInput, SourceChange, Step } from './model.ts';
import { composed, restated } from './parts.ts';
import { staged } from './plan.ts';
import type { Matter, Safe } from './safe.ts';
import { affectedBy, isHurting, type Stay, skippedStep, stayOf, stepsOf, type Telling } from './steps.ts';
import { eachOnce } from './summary.ts';
import { isPool } from './widen.ts';
import type { World } from './world.ts';

/** What was found out about a change. */
export interface Tale {
  readonly input: JudgeInput;
  readonly found: Diff;
  readonly matter: Matter;
  readonly safe: Safe;
  readonly policyOf: (write: Write) => ChangePolicy;
  /** By source, where they are known already. */
  readonly digests?: ReadonlyMap<string, string>;
}

/** The writes, and the story in steps. */
export function tell(tale: Tale): Judged {
  const { input, found, matter, safe, policyOf } = tale;
  const fates = fatesOf(matter, safe);
  const pools = poolsOf(input.live);
  const telling: Telling = { instance: input.instance, safe, fates, drains: input.drains, policyOf, pools };
  const stays = new Map<string, Stay>();
  for (const [id, write] of matter.writes) {
    const stay = stayOf(write, telling);
    if (stay) stays.set(id, stay);
  }
  const writes = writesOf(tale, marksOf(matter, stays), pools);
  const owners = newOwners(matter, safe);
  const hurts = [...safe.whole.hurts, ...safe.kept.hurts(), ...safe.allowed.hurts()];
  return {
    plan: {
      stages: staged([...writes.values()], input.live, (write) => isRelied(tale, write)),
      unchanged: found.unchanged,
    },
    changes: changesOf(tale, telling, { stays, writes, owners: byCause(owners) }),
    affected: eachOnce([...hurts.map(fates.of), ...owners.map((o) => o.affected)]),
  };
}

function changesOf(
  tale: Tale,
  telling: Telling,
  o: {
    readonly stays: ReadonlyMap<string, Stay>;
    readonly writes: ReadonlyMap<string, Write>;
    readonly owners: ReadonlyMap<string, readonly Affected[]>;
  },
): readonly SourceChange[] {
  const steps = new Map<string, Step[]>();
  const add = (write: Write, more: readonly Step[]) => {
    const source = sourceOfWrite(write);
    steps.set(source, [...(steps.get(source) ?? []), ...more]);
  };
  for (const write of tale.found.writes) {
    const id = idOfWrite(write);
    const done = o.writes.get(id);
    const applied = done?.verb === 'delete' ? undefined : done?.object;
    add(write, stepsOf(write, { telling, stay: o.stays.get(id), applied, owners: o.owners.get(id) ?? [] }));
  }
  for (const write of tale.found.skipped) add(write, [skippedStep(write)]);
  return [...steps]
    .filter(([, list]) => list.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([source, list]) => ({
      source,
      digest: tale.digests?.get(source) ?? digestOf(hurtingOf(tale, telling, source)),
      policy: tale.input.policy(source),
      steps: list,
    }));
}

function hurtingOf({ matter }: Tale, { safe, fates }: Telling, source: string): readonly Hurting[] {
  const uids = new Map(matter.subjects.map((s) => [s.want.key, s.uid]));
  return [...matter.writes].flatMap(([id, write]) => {
    const parts = new Map([...safe.kept.of(id)].filter(([, cause]) => isHurting(cause)));
    if (parts.size === 0 || sourceOfWrite(write) !== source) return [];
    return [{ write, parts: [...parts.keys()], affected: affectedBy(parts, fates), uids }];
  });
}

function byCause(owners: ReturnType<typeof newOwners>): ReadonlyMap<string, readonly Affected[]> {
  const byId = new Map<string, Affected[]>();
  for (const { affected, causes } of owners)
    for (const id of causes) {
      const list = byId.get(id);
      if (list) list.push(affected);
      else byId.set(id, [affected]);
    }
  return byId;
}

function marksOf(matter: Matter, stays: ReadonlyMap<string, Stay>): Marks {
  const marking = new Marking(matter);
  for (const { state, waiting } of stays.values())
    if (state === 'draining' || state === 'moving') marking.add(waiting, state);
  return marking.marks;
}

/** The writes that are done, by object: those that are safe or allowed, and the marks. */
function writesOf(
  tale: Tale,
  marks: Marks,
  pools: ReadonlyMap<string, LiveObject>,
): ReadonlyMap<string, Write> {
  const { input, found, safe } = tale;
  const writes = new Map<string, Write>();
  for (const write of found.writes) {
    const id = idOfWrite(write);
    const now = composed(write, safe.kept.of(id));
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

/** Whether a live Service hangs on what an advertisement or peer reaches before, or after. */
function isRelied({ input, matter, safe }: Tale, { object }: Update): boolean {
  if (!input.scene) return true;
  const served = matter.standings.flatMap((s) => ('pool' in s ? [s] : []));
  const used = [matter.before, safe.world].flatMap((world) => poolsOfAd(world, object));
  if (used.length === 0) return served.some((s) => s.reach.nodes.bgp.size > 0);
  const pools = new Set(used.flatMap((set) => [...set]));
  return matter.subjects.some((subject, i) => {
    const before = matter.standings[i];
    if (!before || !('pool' in before)) return false;
    if (pools.has(before.pool)) return true;
    const after = safe.world.standing(subject);
    return 'pool' in after && pools.has(after.pool);
  });
}

function poolsOfAd({ config }: World, object: DesiredObject): readonly ReadonlySet<string>[] {
  const id = idOf(object);
  return [
    ...config.l2.filter((ad) => `L2Advertisement ${ad.name}` === id),
    ...config.bgp.filter((ad) => `BGPAdvertisement ${ad.name}` === id),
  ].map((ad) => ad.pools);
}
