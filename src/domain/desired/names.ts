import { createHash } from 'node:crypto';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Kubernetes' limit on object names. */
const LONGEST = 253;

/** RFC 1123 subdomain: what the API server takes for the name of an object. */
export function isObjectName(name: string): boolean {
  return name.length <= LONGEST && SUBDOMAIN.test(name);
}

/** The nearest legal name, for a hint; undefined when nothing of the name is usable. */
export function proposeName(name: string): string | undefined {
  const legal = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/(^|\.)-+|-+(?=\.|$)/g, '$1')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, LONGEST);
  return isObjectName(legal) ? legal : undefined;
}

/** Joins parts to a name; too long ones are cut and end in a hash of the whole, so that they stay different. */
export function joinName(separator: string, ...parts: readonly string[]): string {
  const whole = parts.join(separator);
  if (whole.length <= LONGEST) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 10);
  return `${whole.slice(0, LONGEST - 11).replace(/[-.]+$/, '')}-${hash}`;
}

/** The ConfigSource that stands for a ConfigMap. A namespace has no dot, so the name can be read back. */
export function configMapSource(namespace: string, name: string): string {
  return joinName('.', namespace, name);
}
