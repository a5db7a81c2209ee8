import { ADOPT, INSTANCE } from '../../domain/api/annotations.ts';
import type { Built } from '../../domain/desired/build.ts';
import { idOf, isOurs, type LiveObject, viewOf } from '../../domain/desired/object.ts';

/** Tells objects that were rendered by a release that is no more: its ConfigSource is not among these names. */
export type IsOrphan = (object: LiveObject) => boolean;

export function orphanage(instance: string, configSources: ReadonlySet<string>): IsOrphan {
  return (object) => {
    const label = object.metadata.labels[INSTANCE];
    return label !== undefined && label !== '' && !isOurs(object, instance) && !configSources.has(label);
  };
}

/** The same objects; orphans that a source defines look as if somebody had annotated them to be adopted by it. */
export function withTakers(
  live: readonly LiveObject[],
  built: readonly Built[],
  isOrphan: IsOrphan,
): readonly LiveObject[] {
  if (!live.some(isOrphan)) return live;
  const takers = new Map(built.flatMap((b) => b.objects.map((o) => [idOf(o), b.source.name] as const)));
  return live.map((o) => {
    const taker = isOrphan(o) ? takers.get(idOf(viewOf(o))) : undefined;
    if (taker === undefined) return o;
    const annotations = { ...o.metadata.annotations, [ADOPT]: taker };
    return { ...o, metadata: { ...o.metadata, annotations } };
  });
}
