import { YamlError } from './flux/errors.ts';
import type { YamlNode } from './flux/yaml.ts';

/** How PyYAML (its SafeLoader, with Ansible's tags) types a scalar: YAML 1.1 with base 60 and without y and n. */

type Plain = null | boolean | number | string;
type Scalar = Extract<YamlNode, { kind: 'scalar' }>;

/** What Ansible has encrypted: nothing tells what it stands for. */
export const VAULT = '$ANSIBLE_VAULT;';

const NULL = /^(~|null|Null|NULL|)$/;
const TRUE = /^(yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const INTEGER = /^([-+]?)(0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^([-+]?)([0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|\.(?:inf|Inf|INF))$/;
/** These take no sign. */
const BARE_FLOAT = /^(\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|\.(?:nan|NaN|NAN))$/;

/** Throws YamlError for a tag that Ansible does not know or that the text does not fit. */
export function pyScalar(node: Scalar): Plain {
  const tag = node.tag?.replace('tag:yaml.org,2002:', '!!');
  switch (tag) {
    case undefined:
      return node.plain ? resolve(node.text) : node.text;
    case '!vault':
    case '!vault-encrypted':
      return VAULT;
    case '!':
    case '!unsafe':
    case '!!str':
    case '!!timestamp':
      return node.text;
    case '!!null':
      return null;
    default:
      return tagged(tag, resolve(node.text));
  }
}

function tagged(tag: string, value: Plain): Plain {
  const fits =
    (tag === '!!bool' && typeof value === 'boolean') ||
    ((tag === '!!int' || tag === '!!float') && typeof value === 'number');
  if (!fits) throw new YamlError(`Ansible does not read a value with the tag ${tag}`);
  return value;
}

/** A key as Python's str() prints it: keys of other types are nobody's here. */
export function pyKey(node: YamlNode): string {
  if (node.kind !== 'scalar') throw new YamlError('a key is not a scalar');
  return pyText(pyScalar(node));
}

/** What Jinja prints for a value. */
export function pyText(value: Plain): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}

function resolve(text: string): Plain {
  if (NULL.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  return float(text) ?? integer(text) ?? text;
}

function integer(text: string): number | undefined {
  const match = INTEGER.exec(text);
  if (!match) return undefined;
  const [, sign, written = ''] = match;
  const digits = written.replaceAll('_', '');
  const magnitude = digits.includes(':')
    ? base60(digits)
    : /^0[0-7]+$/.test(digits)
      ? Number(`0o${digits.slice(1)}`)
      : Number(digits);
  // "0b_" has the form and no digits.
  if (Number.isNaN(magnitude)) throw new YamlError('a number has no digits');
  return sign === '-' ? -magnitude : magnitude;
}

function float(text: string): number | undefined {
  const [, sign = '', signed = ''] = FLOAT.exec(text) ?? [];
  const written = signed || BARE_FLOAT.exec(text)?.[1];
  if (!written) return undefined;
  const digits = written.replaceAll('_', '').toLowerCase();
  const magnitude = digits.endsWith('inf')
    ? Number.POSITIVE_INFINITY
    : digits.endsWith('nan')
      ? Number.NaN
      : digits.includes(':')
        ? base60(digits)
        : Number(digits);
  return sign === '-' ? -magnitude : magnitude;
}

function base60(digits: string): number {
  return digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
