import { type Path, pathText } from '../api/check.ts';

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
