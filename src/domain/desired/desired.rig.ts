/** Sources and live objects for tests of this room and the next. */
import { load } from '../config/load.ts';
import { type Built, build } from './build.ts';
import type { Target } from './dialects/dialect.ts';
import { bodyOf, type DesiredObject, type LiveObject, liveKind } from './object.ts';
import type { Check } from './settle.ts';
import type { Source } from './source.ts';
import { typedSet } from './typed.ts';

export const TARGET: Target = { instance: 'herald', namespace: 'metallb-system' };

export function source(values: unknown, o: Partial<Source> = {}): Source {
  return { name: 'herald', title: 'Secret metallb-system/herald-values', secret: true, ...o, values };
}

export function rendered(values: unknown, o: Partial<Source> = {}): Built {
  return build(source(values, o), TARGET);
}

let version = 0;

/** The object as the API server would have it after an apply. */
export function stored(
  object: DesiredObject,
  o: { uid?: string; labels?: Record<string, string> } = {},
): LiveObject {
  version++;
  const body = bodyOf(object);
  return liveKind(object.kind).decode({
    ...body,
    metadata: {
      name: object.name,
      namespace: object.namespace,
      uid: o.uid ?? `uid-${object.kind.kind}-${object.name}`,
      resourceVersion: String(version),
      labels: o.labels ?? object.labels,
      annotations: object.annotations,
    },
  });
}

/** All objects of a source that fits, stored. */
export function live(values: unknown, o: Partial<Source> = {}): LiveObject[] {
  const built = rendered(values, o);
  if (built.objects.length === 0) throw new Error(JSON.stringify(built.problems));
  return built.objects.map((object) => stored(object));
}

/** The check that controller and speakers make. */
export const readers: Check = (views) => {
  const loaded = load({ ...typedSet(views), namespaces: [] });
  return 'problems' in loaded ? loaded.problems.map((p) => ({ ...p, plain: `plain ${p.code}` })) : [];
};
