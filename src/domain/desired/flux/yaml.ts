/** YAML as sigs.k8s.io/yaml turns it into JSON: Go's typing of scalars, keys as text, numbers as float64. */
import { goFloat } from './encode.ts';
import { YamlError } from './errors.ts';
import { type Resolved, resolve } from './resolve.ts';
import { isMap, type Value, type ValueMap } from './value.ts';

/**
 * The syntax tree of one YAML document; aliases stand as the node that they name.
 * plain: written without quotes and not as a block, so that its text decides its type. tag: explicit, e.g. `!!str`.
 */
export type YamlNode =
  | { readonly kind: 'scalar'; readonly text: string; readonly plain: boolean; readonly tag?: string }
  | { readonly kind: 'list'; readonly items: readonly YamlNode[]; readonly tag?: string }
  | {
      readonly kind: 'map';
      readonly entries: readonly (readonly [YamlNode, YamlNode])[];
      readonly tag?: string;
    };

/** Helm's ReadValues: a map, or nothing at all. Throws YamlError. */
export function readValues(node: YamlNode | undefined): ValueMap {
  const value = node === undefined ? null : toValue(node);
  if (value === null) return new Map();
  if (!isMap(value)) throw new YamlError('it is not a map');
  return value;
}

/** A node as JSON would hold it. */
function toValue(node: YamlNode): Value {
  if (node.kind === 'list') return node.items.map(toValue);
  if (node.kind === 'map') return mapValue(node.entries);
  const { value } = scalar(node);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new YamlError('a number is not finite');
  // JSON is read back into float64.
  return typeof value === 'bigint' ? Number(value) : value;
}

/** A scalar as Go's reader types it; an unknown tag counts for nothing. Throws YamlError when it does not fit a known one. */
export function scalar(node: Extract<YamlNode, { kind: 'scalar' }>): Resolved {
  const tag = node.tag?.replace('tag:yaml.org,2002:', '!!');
  if (tag === '!!str' || (tag === undefined && !node.plain)) return { tag: 'str', value: node.text };
  if (tag === '!!binary') return { tag: 'str', value: binary(node.text) };
  const resolved = resolve(node.text);
  if (tag === undefined || !['!!bool', '!!int', '!!float', '!!null', '!!timestamp'].includes(tag))
    return node.plain ? resolved : { tag: 'str', value: node.text };
  const widened = tag === '!!float' && resolved.tag === 'int';
  if (!widened && tag !== `!!${resolved.tag}`) throw new YamlError(`a scalar does not fit its tag ${tag}`);
  return resolved;
}

function binary(text: string): string {
  const compact = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact))
    throw new YamlError('a !!binary value is not base64');
  return new TextDecoder().decode(Uint8Array.from(atob(compact), (c) => c.charCodeAt(0)));
}

/** Only what the map ends up holding is converted: a later key hides what is wrong with an earlier one. */
function mapValue(entries: Entries): ValueMap {
  return new Map([...fields(entries)].map(([key, node]) => [key, toValue(node)]));
}

type Entries = readonly (readonly [YamlNode, YamlNode])[];

/** The reader is not strict: a later key wins over an earlier one, and `<<` counts at the place where it stands. */
function fields(entries: Entries): ReadonlyMap<string, YamlNode> {
  const found = new Map<string, YamlNode>();
  for (const [key, node] of entries) {
    if (key.kind !== 'scalar' || !key.plain || key.text !== '<<') found.set(keyText(key), node);
    else for (const [merged, of] of mergedFields(node)) found.set(merged, of);
  }
  return found;
}

/** A merge takes a map, or a list of maps of which the first to have a key wins. */
function mergedFields(node: YamlNode): ReadonlyMap<string, YamlNode> {
  const maps = node.kind === 'list' ? node.items : [node];
  const all = [...maps].reverse().flatMap((map) => {
    if (map.kind !== 'map') throw new YamlError('a merge key needs a map or a list of maps');
    return [...fields(map.entries)];
  });
  return new Map(all);
}

/** A key's text after typing: `y` becomes "true", 0x10 becomes "16"; null and compound keys are refused. */
export function keyText(node: YamlNode): string {
  if (node.kind !== 'scalar') throw new YamlError('a key is not a scalar');
  const { value } = scalar(node);
  if (value === null) throw new YamlError('a key is null');
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && !Number.isInteger(value)) return floatKey(value);
  return String(value);
}

function floatKey(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  // The converter prints keys with the precision of a 32-bit float.
  for (let digits = 1; digits < 17; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === Math.fround(value)) return goFloat(shorter);
  }
  return goFloat(value);
}
