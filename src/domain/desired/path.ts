import { at, type Path, pathText } from '../api/check.ts';
import { nearest } from '../api/values/mend.ts';

/** Reads what pathText wrote: "pools.web.addresses[1]", `pools["a.b"]`. Text that it never writes gives what can be read of it. */
export function pathOf(text: string): Path {
  const path: (string | number)[] = [];
  for (const [, plain, position, quoted] of text.matchAll(
    /([^\s.[\]"]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g,
  )) {
    if (plain !== undefined) path.push(plain);
    else if (position !== undefined) path.push(Number(position));
    else if (quoted !== undefined) path.push(String(JSON.parse(quoted)));
  }
  return path;
}

/** The path of a field inside the values of an object: `pools.web` and `spec.addresses[1]` give `pools.web.addresses[1]`. */
export function inside(objectPath: string, field: string): string {
  const steps = pathOf(field);
  const [first, ...rest] = steps;
  // What stands in metadata has no place of its own in the values: the entry's key is the name.
  if (first === 'metadata') return objectPath;
  return pathText([...pathOf(objectPath), ...(first === 'spec' ? rest : steps)]);
}

/**
 * The texts among the entries of a list that holds something else, too, and where each of them stood: `field` is the list's name in
 * the object, `place` its place in the source. undefined where it is no list, or no text is in it.
 */
function textsAmong(
  list: unknown,
  { field, place }: { readonly field: string; readonly place: string },
): { readonly texts: readonly string[]; readonly fields: ReadonlyMap<string, string> } | undefined {
  if (!Array.isArray(list)) return undefined;
  const kept = list.flatMap((entry: unknown, i) =>
    typeof entry === 'string' ? [[entry, pathText([...pathOf(place), i])] as const] : [],
  );
  if (kept.length === 0) return undefined;
  return {
    texts: kept.map(([text]) => text),
    fields: new Map(kept.map(([, at], i) => [`${field}[${i}]`, at])),
  };
}

/**
 * What can be read of the ranges of a pool that does not fit: those under `addresses`, or under a key that evidently means that.
 * `place`: where a key of the pool stands in the source.
 */
export function legibleRanges(pool: unknown, place: (key: string) => string): ReturnType<typeof textsAmong> {
  const field = 'addresses';
  const keys = typeof pool === 'object' && pool !== null ? Object.keys(pool) : [];
  const key = keys.includes(field) ? field : keys.find((one) => nearest(one, [field]) !== undefined);
  return key === undefined ? undefined : textsAmong(at(pool, [key]), { field, place: place(key) });
}

/** Where an object stands in its source's values. */
export interface Place {
  /** Its entry: "pools.web", "metallb_config.address_pools.primary". */
  readonly path: string;
  /** Fields that do not stand below that path under their own name: "addresses" -> "metallb_ip_range"; "" for all others. */
  readonly fields?: ReadonlyMap<string, string>;
}

/** The place of a field ("spec.addresses[1]") of an object in its source's values. */
export function placeOf(object: Place, field: string): string {
  const [first, ...rest] = pathOf(field);
  if (first === undefined) return object.path;
  const steps = first === 'spec' ? rest : [first, ...rest];
  for (let n = steps.length; n >= 0 && object.fields; n--) {
    const known = object.fields.get(pathText(steps.slice(0, n)));
    if (known !== undefined) return pathText([...pathOf(known), ...steps.slice(n)]);
  }
  return inside(object.path, field);
}
