/** What the YAML library's nodes tell beside their values: where things stand, and slips that readers judge differently. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import type { Part, Path } from '../../domain/api/check.ts';

/**
 * Where the value at `path` begins, or its key; what is in a list, and the root, have none, and then it is the value. Of a key that
 * stands twice, the last one, which counts. Merged keys are found where they come from.
 */
export function offsetAt(document: Document, path: Path, part: Part = 'value'): number | undefined {
  let entry: Entry | undefined = { value: document.contents };
  for (const step of path) {
    entry = child(resolved(document, entry.value), step, document);
    if (entry === undefined) return undefined;
  }
  return offsetOf(part === 'key' ? (entry.key ?? entry.value) : entry.value);
}

interface Entry {
  readonly key?: unknown;
  readonly value: unknown;
}

function child(node: unknown, step: string | number, document: Document): Entry | undefined {
  if (isSeq(node)) {
    const value = typeof step === 'number' ? node.items[step] : undefined;
    return value === undefined ? undefined : { value };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.findLast((p) => keyText(p) === String(step));
  // An empty value has no node of its own in some forms.
  if (pair) return { key: pair.key, value: pair.value ?? pair.key };
  for (const merge of node.items.filter(isMerge)) {
    const value = resolved(document, merge.value);
    for (const map of isSeq(value) ? value.items : [value]) {
      const found = child(resolved(document, map), step, document);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

export interface Slip {
  readonly path: Path;
  readonly offset: number;
}

export interface Slips {
  /** Keys that stood in the same map before. */
  readonly duplicates: readonly Slip[];
  /** Maps or lists in the place of a key: `{{ x }}` without quotes is one. */
  readonly compound: readonly Slip[];
}

export function slipsOf(document: Document): Slips {
  const duplicates: Slip[] = [];
  const compound: Slip[] = [];
  const visitMap = (map: YAMLMap, path: Path) => {
    const seen = new Set<string>();
    for (const pair of map.items) {
      const text = keyText(pair);
      if (text === undefined) compound.push({ path, offset: offsetOf(map) ?? 0 });
      else {
        const inner = [...path, text];
        if (seen.has(text) && !isMerge(pair))
          duplicates.push({ path: inner, offset: offsetOf(pair.key) ?? 0 });
        seen.add(text);
        visit(pair.value, inner);
      }
    }
  };
  const visit = (node: unknown, path: Path): void => {
    if (isMap(node)) visitMap(node, path);
    else if (isSeq(node)) for (const [i, item] of node.items.entries()) visit(item, [...path, i]);
  };
  visit(document.contents, []);
  return { duplicates, compound };
}

function resolved(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function isMerge(pair: Pair): boolean {
  return isScalar(pair.key) && pair.key.source === '<<' && (pair.key.type ?? 'PLAIN') === 'PLAIN';
}

/** As it is written: readers differ in how they type keys, and `1` beside `0x1` is nobody's slip. */
function keyText({ key }: Pair): string | undefined {
  if (isScalar(key)) return key.source ?? String(key.value);
  // An alias names a scalar, in all that is read here.
  return isAlias(key) ? key.source : key === null ? '' : undefined;
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) && node.range ? node.range[0] : undefined;
}
