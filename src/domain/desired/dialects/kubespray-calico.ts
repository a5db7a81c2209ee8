import { parseRange, type Range } from '../../ip/range.ts';
import { union, without } from '../../ip/ranges.ts';
import type { Draft } from '../draft.ts';
import type { Json } from '../json.ts';
import { placeOf } from '../path.ts';
import type { Vars } from './kubespray.ts';

/** Tells ranges of pools that Calico's own list does not hold: Calico is to announce them, and would not. */
export function tellLeftOut({ vars, tell }: Vars, pools: readonly Draft[]): void {
  const key = 'calico_advertise_service_loadbalancer_ips';
  const announced = rangesOf(listed(vars[key], vars.metallb_ip_range));
  if (announced === undefined) return;
  const set = union(announced);
  for (const pool of pools) {
    const { addresses } = pool.spec;
    if (!Array.isArray(addresses)) continue;
    for (const [i, entry] of addresses.entries()) {
      const [range] = rangesOf([entry]) ?? [];
      if (!range || without(range, set).length === 0) continue;
      tell({
        code: 'PoolNotAdvertised',
        severity: 'warning',
        path: placeOf(pool, `addresses[${i}]`),
        message: `is not among ${key}: Calico does not announce it`,
        hint: 'add it there',
      });
    }
  }
}

/** The list, or the one that it refers to, as Kubespray's documentation has it: "{{ metallb_ip_range }}". */
function listed(value: Json | undefined, ranges: Json | undefined): Json | undefined {
  return typeof value === 'string' && /^\{\{\s*metallb_ip_range\s*\}\}$/.test(value.trim()) ? ranges : value;
}

/** undefined where an entry is none that can be read: then nothing can be said. */
function rangesOf(list: Json | undefined): readonly Range[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const ranges = list.map((entry: Json) =>
    typeof entry === 'string' ? parseRange(entry.trim()) : undefined,
  );
  return ranges.every((r) => r !== undefined && 'range' in r) ? ranges.map((r) => r.range) : undefined;
}
