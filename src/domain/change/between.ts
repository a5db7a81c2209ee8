import { IPAddressPools, L2Advertisements } from '../api/metallb.ts';
import { idOf, type View } from '../desired/object.ts';
import type { Conflict } from './consistent.ts';
import { idOfWrite, type Write } from './diff.ts';
import { hurtsOf } from './hurt.ts';
import { viewAfter } from './parts.ts';
import type { Plan } from './plan.ts';
import type { Matter, Safe } from './safe.ts';
import type { Subject } from './subject.ts';
import { isPool } from './widen.ts';
import type { Standing, World } from './world.ts';

/**
 * Writes that would silence a Service until a later stage makes it good. Only where addresses are shared: everywhere else an
 * object that reaches further announces more, but an advertisement with serviceSelectors silences those who share. They wait
 * until what comes after them is done.
 */
export function tooEarly(matter: Matter, stages: Plan['stages'], { allowed }: Safe): readonly Conflict[] {
  const shared = matter.subjects.flatMap((subject, i) => {
    const before = matter.standings[i];
    return subject.shared && before && 'pool' in before ? [{ subject, before }] : [];
  });
  if (shared.length === 0 || stages.length < 2) return [];
  const lost = new Set(allowed.hurts().map((h) => h.subject));
  const views = new Map(matter.live.map((view) => [idOf(view), view]));
  const written = new Set<string>();
  for (const stage of stages.slice(0, -1)) {
    // A pool that takes addresses makes the set invalid for a while; what came before it is in force then.
    const [pools, others] = [true, false].map((pool) => stage.filter((w) => isPool(subjectOf(w)) === pool));
    for (const part of [others ?? [], pools ?? []]) {
      for (const write of part) {
        carryOut(views, write);
        written.add(idOfWrite(write));
      }
      const found = silenced(
        matter,
        matter.read([...views.values()]),
        shared.filter((s) => !lost.has(s.subject)),
      );
      const early = found.filter(({ id }) => written.has(id));
      // While the set was invalid, writes of earlier stages had no effect: what silences may be one of them.
      const ads = early.filter(({ id }) => !id.startsWith(`${IPAddressPools.kind} `));
      if (early.length > 0) return ads.length > 0 ? ads : early;
    }
  }
  return [];
}

const subjectOf = (write: Write) => (write.verb === 'delete' ? write.live : write.object);

function silenced(
  { ready }: Matter,
  world: World,
  shared: readonly { readonly subject: Subject; readonly before: Standing }[],
): readonly Conflict[] {
  if (!world.valid || world.config.l2.every((ad) => ad.serviceSelectors.length === 0)) return [];
  return shared.flatMap(({ subject, before }) =>
    hurtsOf(subject, { before, after: world.standing(subject) }, ready).flatMap(({ pool }) => {
      const ads = world.announcing.reach(pool, subject).silencers;
      const ids = [`${IPAddressPools.kind} ${pool}`, ...ads.map((ad) => `${L2Advertisements.kind} ${ad}`)];
      const why = `waits for other writes, as ${subject.want.key} would not be announced meanwhile`;
      return ids.map((id) => ({ id, part: 'whole' as const, why }));
    }),
  );
}

function carryOut(views: Map<string, View>, write: Write): void {
  const id = idOfWrite(write);
  if (write.verb === 'delete') views.delete(id);
  else views.set(id, viewAfter(write.object, write.verb === 'update' ? write.live : undefined));
}
