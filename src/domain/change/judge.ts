import { ON_CHANGE } from '../api/annotations.ts';
import { CHANGE_POLICIES, type ChangePolicy } from '../api/values.ts';
import { viewOf } from '../desired/object.ts';
import { appliedWrites, stagesOf } from './apply.ts';
import { tooEarly } from './between.ts';
import { BLIND, unseen } from './blind.ts';
import { type Diff, diff, idOfWrite, sourceOfWrite, type Write } from './diff.ts';
import type { Judge, JudgeInput } from './model.ts';
import { groundOf } from './reach.ts';
import { findSafe, type IsAllowed, type Matter, type Safe } from './safe.ts';
import { castOf } from './subject.ts';
import { tell } from './tell.ts';
import { worlds } from './world.ts';

/**
 * What may be written now, and the whole story: a change that takes an address away from a live Service, or stops its announcement,
 * waits as the policy says, and everything else goes on as if it had been committed by itself.
 */
export const judge: Judge = (input) => {
  const found = diff(input);
  if (found.writes.length === 0 && found.skipped.length === 0)
    return { plan: { stages: [], unchanged: found.unchanged }, changes: [], affected: [] };
  const matter = matterOf(input, found.writes);
  const policyOf = policies(input);
  const isForced = isWrite(matter, (write) => policyOf(write) === 'force');
  const safe = search(input, found, { matter, isAllowed: isForced });
  const first = tell({ input, found, matter, policyOf, safe });
  const approved = new Set(
    first.changes
      .filter(({ source, digest }) => digest !== '' && input.approved.get(source) === digest)
      .map(({ source }) => source),
  );
  if (approved.size === 0) return first;
  const isApproved = isWrite(matter, (write) => approved.has(sourceOfWrite(write)));
  // An approval lets through what was held when it was given, and nothing that would hurt beside it.
  const isAllowed: IsAllowed = (part) => isForced(part) || (isApproved(part) && safe.kept.has(part));
  const digests = new Map(first.changes.map(({ source, digest }) => [source, digest]));
  return tell({ input, found, matter, policyOf, safe: search(input, found, { matter, isAllowed }), digests });
};

const NO_MARKS = new Map<never, never>();
const NO_POOLS = new Map<never, never>();

function isWrite({ writes }: Matter, test: (write: Write) => boolean): IsAllowed {
  return ({ id }) => {
    const write = writes.get(id);
    return write !== undefined && test(write);
  };
}

/** The policy of an object: its own, as desired or else as live, otherwise that of its source. */
function policies({ policy }: JudgeInput): (write: Write) => ChangePolicy {
  return (write) => {
    const desired = write.verb === 'delete' ? undefined : write.object.annotations[ON_CHANGE];
    const live = write.verb === 'create' ? undefined : write.live.metadata.annotations[ON_CHANGE];
    return CHANGE_POLICIES.find((p) => p === (desired ?? live)) ?? policy(sourceOfWrite(write));
  };
}

function matterOf({ scene, live }: JudgeInput, writes: readonly Write[]): Matter {
  const { subjects, waiting } = castOf(scene?.services ?? []);
  const ground = groundOf(scene?.nodes ?? [], scene?.ignoreExclude ?? false);
  const read = worlds(scene?.namespaces ?? [], ground);
  const views = live.map(viewOf);
  const before = read(views);
  return {
    live: views,
    writes: new Map(writes.map((w) => [idOfWrite(w), w])),
    subjects,
    waiting,
    ready: ground.ready,
    read,
    before,
    standings: subjects.map((s) => before.standing(s)),
  };
}

/** What is safe at its end and on the way there. */
function search(
  input: JudgeInput,
  found: Diff,
  { matter, isAllowed }: { matter: Matter; isAllowed: IsAllowed },
): Safe {
  const blind = input.scene ? [] : unseen(matter.writes.values());
  const start = blind.filter((part) => !isAllowed(part)).map((part) => ({ ...part, why: BLIND }));
  for (;;) {
    const safe = findSafe(matter, isAllowed, start);
    const writes = appliedWrites({ input, found, kept: safe.kept }, NO_MARKS, NO_POOLS);
    const stages = stagesOf({ input, matter, world: safe.world }, [...writes.values()]);
    const early = tooEarly(matter, stages, safe).filter((part) => !safe.kept.has(part));
    if (early.length === 0) return safe;
    start.push(...early);
  }
}
