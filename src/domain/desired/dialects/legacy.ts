import { fieldsOf } from '../../api/schema.ts';
import { valuesSchema } from '../../api/values.ts';
import { isObject, type Json, toJson } from '../json.ts';
import type { Dialect } from './dialect.ts';
import { readLegacy } from './legacy-read.ts';

const ROOTS = ['address-pools', 'peers', 'bgp-communities', 'bfd-profiles', 'peer-autodiscovery'];

/** The text that MetalLB 0.7 to 0.12 kept in a ConfigMap. */
export const legacy: Dialect = {
  name: 'legacy',
  title: "the configuration of MetalLB's ConfigMap, up to 0.12",
  yaml: 'go',
  evidence(values) {
    const root = toJson(values ?? null);
    return isObject(root) ? ROOTS.filter((key) => isOurs(key, root[key])) : [];
  },
  hasRoot: (root) => ROOTS.includes(root),
  read(source) {
    const root = toJson(source.values ?? null);
    return readLegacy({
      source,
      // Beside it may stand what Herald's own chart puts into the same values.
      value: isObject(root)
        ? Object.fromEntries(Object.entries(root).filter(([key]) => !isHeralds(key)))
        : root,
      base: [],
      ...(source.text && { text: source.text }),
    });
  },
};

/** Others call something `peers` too: Calico's variables in Kubespray, for one. */
function isOurs(key: string, value: Json | undefined): boolean {
  if (key === 'address-pools') return value !== undefined;
  if (key !== 'peers') return Boolean(value);
  return (
    Array.isArray(value) && value.some((peer: Json) => isObject(peer) && Object.keys(peer).some(isHyphened))
  );
}

const isHyphened = (key: string): boolean => /^(peer|my)-/.test(key);

function isHeralds(key: string): boolean {
  return Object.hasOwn(fieldsOf(valuesSchema), key) && !ROOTS.includes(key);
}
