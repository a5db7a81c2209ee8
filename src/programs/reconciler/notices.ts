import { INSTANCE, RECONCILE } from '../../domain/api/annotations.ts';
import type { Problem } from '../../domain/api/problem.ts';
import { type DesiredObject, idOf, type LiveObject, viewOf } from '../../domain/desired/object.ts';
import { problemOf, type Source } from '../../domain/desired/source.ts';
import type { IsOrphan } from './orphans.ts';
import { type Unreadable, unreadableText } from './unreadable.ts';

/** What a source should say although it is carried out. */

/** Kinds that tell whom a change hurts, and cannot be read. */
export function blindNotices(source: Source, blind: readonly Unreadable[]): readonly Problem[] {
  if (blind.length === 0) return [];
  return [
    problemOf(source, {
      code: 'ServicesUnreadable',
      severity: 'warning',
      path: '',
      message: `whom a change hurts is not known (${blind.map(unreadableText).join('; ')}): what could take an address away is held`,
      hint: 'let the reconciler list and watch services, namespaces and nodes in the whole cluster',
    }),
  ];
}

/** Plans that cannot be read: then nobody can approve one either. */
export function planNotices(source: Source, plans: readonly Unreadable[]): readonly Problem[] {
  if (plans.length === 0) return [];
  return [
    problemOf(source, {
      code: 'PlansUnreadable',
      severity: 'warning',
      path: '',
      message: `plans are neither shown nor approved (${plans.map(unreadableText).join('; ')})`,
      hint: 'apply the CRDs of this version of the chart',
    }),
  ];
}

/** Settings of a MetalLB object that could not be put on Herald's own workloads. */
export function settingNotices(source: Source, failed: string | undefined): readonly Problem[] {
  if (failed === undefined) return [];
  const message = `its settings are not in force: ${failed}`;
  return [problemOf(source, { code: 'SettingsNotApplied', severity: 'warning', path: '', message })];
}

/** Objects of the source that somebody has taken out of our hands. */
export function leftAlone(
  source: Source,
  objects: readonly (DesiredObject | LiveObject)[],
  live: ReadonlyMap<string, LiveObject>,
): readonly Problem[] {
  return objects.flatMap((o) => {
    const view = 'metadata' in o ? viewOf(o) : o;
    const id = idOf(view);
    if (live.get(id)?.metadata.annotations[RECONCILE] !== 'disabled') return [];
    return [
      problemOf(source, {
        code: 'LeftAlone',
        severity: 'notice',
        object: id,
        path: 'path' in o ? o.path : '',
        message: `is left as it is: it is annotated ${RECONCILE}=disabled`,
      }),
    ];
  });
}

/** Objects of a release that is gone, and that nobody has taken over. */
export function orphanNotices(
  source: Source,
  live: readonly LiveObject[],
  isOrphan: IsOrphan,
): readonly Problem[] {
  const left = live.filter(isOrphan);
  if (left.length === 0) return [];
  const names = left.slice(0, 5).map((o) => `${idOf(viewOf(o))} of ${o.metadata.labels[INSTANCE]}`);
  const more = left.length > 5 ? [`${left.length - 5} more`] : [];
  return [
    problemOf(source, {
      code: 'Orphaned',
      severity: 'notice',
      path: '',
      message: `objects of a release that is gone stay as they are: ${[...names, ...more].join(', ')}`,
      hint: 'define them here to take them over, or delete them',
    }),
  ];
}
