import { createHash } from 'node:crypto';
import type { Piece, Spot } from './free.ts';

/** In a pool that is nine tenths full, one Service in thirty finds nothing within so many tries. */
const TRIES = 32;

/**
 * The first free number of an order that belongs to the key alone: the same key gets the same number wherever the pool is the
 * same and nobody else has it. Undefined when none of the first tries is free.
 */
export function scatter(
  pieces: readonly Piece[],
  key: string,
  taken: (number: bigint) => boolean,
): Spot | undefined {
  const size = pieces.reduce((sum, { first, last }) => sum + (last - first + 1n), 0n);
  if (size === 0n) return undefined;
  for (let turn = 0; turn < TRIES; turn++) {
    const digest = createHash('sha256').update(`${key}#${turn}`).digest('hex');
    const found = nth(pieces, BigInt(`0x${digest}`) % size);
    if (found && !taken(found.bits)) return found;
  }
  return undefined;
}

function nth(pieces: readonly Piece[], n: bigint) {
  let left = n;
  for (const { first, last, index } of pieces) {
    const count = last - first + 1n;
    if (left < count) return { index, bits: first + left };
    left -= count;
  }
  return undefined;
}
