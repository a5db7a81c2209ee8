import { fieldsOf } from '../../api/schema.ts';
import { valuesSchema } from '../../api/values.ts';
import { isObject, toJson } from '../json.ts';
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
    return isObject(root) ? ROOTS.filter((key) => (key === 'address-pools' ? key in root : root[key])) : [];
  },
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

function isHeralds(key: string): boolean {
  return Object.hasOwn(fieldsOf(valuesSchema), key) && !ROOTS.includes(key);
}
