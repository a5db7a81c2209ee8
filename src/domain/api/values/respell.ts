import { at, type Misfit, type Path } from '../check.ts';
import { meantKey } from './mend.ts';

/** A value with its misspelt keys as they are most likely meant. */
export interface Respelt {
  readonly value: unknown;
  /** The path of what stands at `path`, as it was written. */
  written(path: Path): Path;
}

/** `misfits`: those of the value. A key that is meant by one and stands there itself is left alone. */
export function respell(value: unknown, misfits: readonly Misfit[]): Respelt {
  const keys: { readonly path: Path; readonly meant: Path }[] = [];
  let respelt = value;
  for (const misfit of misfits) {
    const { path } = misfit;
    const key = misfit.kind === 'unknownKey' ? meantKey(misfit) : undefined;
    if (key === undefined) continue;
    const meant = [...path.slice(0, -1), key];
    if (at(respelt, meant) !== undefined) continue;
    respelt = renamed(respelt, path, key);
    keys.push({ path, meant });
  }
  return {
    value: respelt,
    written(path) {
      const found = keys.find(({ meant }) => meant.every((step, i) => path[i] === step));
      return found ? [...found.path, ...path.slice(found.path.length)] : path;
    },
  };
}

function renamed(value: unknown, [step, ...rest]: Path, key: string): unknown {
  const inner = (child: unknown): unknown => renamed(child, rest, key);
  if (Array.isArray(value)) return value.map((item: unknown, i) => (i === step ? inner(item) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]: [string, unknown]) => {
      if (name !== step) return [name, child];
      return rest.length === 0 ? [key, child] : [name, inner(child)];
    }),
  );
}
