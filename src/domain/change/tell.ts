import type { ChangePolicy } from '../api/values.ts';
import { appliedWrites, stagesOf } from './apply.ts';
import { type Diff, idOfWrite, sourceOfWrite, type Write } from './diff.ts';
import { digestOf, type Hurting } from './digest.ts';
import { fatesOf, newOwners } from './fates.ts';
import { Marking, type Marks, poolsOf } from './marks.ts';
import type { Affected, Judged, JudgeInput, SourceChange, Step } from './model.ts';
import type { Matter, Safe } from './safe.ts';
import { affectedBy, isHurting, type Stay, skippedStep, stayOf, stepsOf, type Telling } from './steps.ts';
import { eachOnce } from './summary.ts';

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
  const writes = appliedWrites({ input, found, kept: safe.kept }, marksOf(matter, stays), pools);
  const owners = newOwners(matter, safe);
  const hurts = [...safe.whole.hurts, ...safe.allowed.hurts()];
  return {
    plan: {
      stages: stagesOf({ input, matter, world: safe.world }, [...writes.values()]),
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
  const uids = new Map(tale.matter.subjects.map((s) => [s.want.key, s.uid]));
  return [...steps]
    .filter(([, list]) => list.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([source, list]) => ({
      source,
      digest: tale.digests?.get(source) ?? digestOf(hurtingOf(tale, telling, { source, uids })),
      policy: tale.input.policy(source),
      steps: list,
    }));
}

function hurtingOf(
  { matter }: Tale,
  { safe, fates }: Telling,
  { source, uids }: { readonly source: string; readonly uids: Hurting['uids'] },
): readonly Hurting[] {
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
