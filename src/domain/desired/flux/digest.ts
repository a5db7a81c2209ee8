import { createHash } from 'node:crypto';
import { encodeYaml } from './encode.ts';
import type { ValueMap } from './value.ts';

/**
 * helm-controller's config digest of merged values (before chart defaults): status.lastAttemptedConfigDigest and
 * status.history[].configDigest. No values at all hash the empty text.
 */
export function configDigest(values: ValueMap): string {
  const hash = createHash('sha256');
  if (values.size > 0) hash.update(encodeYaml(values));
  return `sha256:${hash.digest('hex')}`;
}
