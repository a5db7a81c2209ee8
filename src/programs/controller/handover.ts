import type { Service } from '../../domain/api/core.ts';
import { keyOf } from '../../domain/api/object.ts';
import { formatAddress } from '../../domain/ip/address.ts';
import { ingressTexts, type Verdict } from '../../domain/ipam/converge.ts';

/**
 * Many writes are under way at once, and may arrive in any order: no status shows an address that another one still shows
 * because its write has not arrived.
 */
export class Handover {
  /** Addresses that a status still shows although they were given away, and whose status that is. */
  readonly #leaving = new Map<string, string>();

  /** Whether the status may be written; if not, that of another Service must arrive first. */
  mayShow(service: Service, verdict: Verdict): boolean {
    const key = keyOf(service);
    if ('kept' in verdict) return true;
    const next = 'choice' in verdict ? verdict.choice.addresses.map(formatAddress) : [];
    for (const text of ingressTexts(service)) if (!next.includes(text)) this.#leaving.set(text, key);
    return next.every((text) => (this.#leaving.get(text) ?? key) === key);
  }

  /** The status of the Service is what was decided, or is gone. */
  arrived(key: string): void {
    for (const [text, owner] of this.#leaving) if (owner === key) this.#leaving.delete(text);
  }
}
