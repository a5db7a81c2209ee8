import { at, type Misfit } from '../check.ts';

/** How to put a misfit right, where that can be told without repeating a value; otherwise undefined. */
export function mend(misfit: Misfit, root: unknown): string | undefined {
  switch (misfit.kind) {
    case 'unknownKey':
      return mendKey(misfit);
    case 'type':
      return mendType(misfit.types, at(root, misfit.path));
    case 'name':
      return 'lower-case letters, digits, "-" and ".", starting and ending with a letter or digit, at most 253';
    case 'value':
      return mendWord(misfit.known, at(root, misfit.path));
    case 'required':
      return undefined;
  }
}

/** Names that other tools use for our roots. */
const ALIASES: Readonly<Record<string, string>> = {
  addressPools: 'pools',
  ipAddressPools: 'pools',
  ipaddresspools: 'pools',
  bfdprofiles: 'bfdProfiles',
  peer: 'bgpPeers',
};

/** The known key that an unknown one evidently stands for. */
export function meantKey({ path, known }: Misfit): string | undefined {
  const key = String(path.at(-1));
  const alias = path.length === 1 ? ALIASES[key] : undefined;
  return alias ?? nearest(key, known);
}

function mendKey(misfit: Misfit): string {
  const { known } = misfit;
  const guess = meantKey(misfit);
  if (guess !== undefined) return `did you mean "${guess}"?`;
  return known.length > 0 && known.length <= 12 ? `known keys are ${known.join(', ')}` : 'take it out';
}

const YES: ReadonlySet<string> = new Set(['yes', 'y', 'on', 'true']);
const NO: ReadonlySet<string> = new Set(['no', 'n', 'off', 'false']);

function mendType(types: readonly string[], found: unknown): string | undefined {
  const wants = (type: string) => types.includes(type);
  if (wants('boolean') && typeof found === 'string') {
    const word = found.trim().toLowerCase();
    return YES.has(word)
      ? 'write true'
      : NO.has(word)
        ? 'write false'
        : 'write true or false, without quotes';
  }
  if (wants('integer') && typeof found === 'string') return 'write the number without quotes';
  if (wants('string') && (typeof found === 'number' || typeof found === 'boolean')) return 'put it in quotes';
  if (wants('array') && typeof found !== 'object') return 'write a list: start the line with "- "';
  if (wants('object') && Array.isArray(found)) return 'write a map from names to entries, not a list';
  return undefined;
}

function mendWord(known: readonly string[], found: unknown): string | undefined {
  const guess = typeof found === 'string' ? nearest(found, known) : undefined;
  return guess === undefined ? undefined : `did you mean "${guess}"?`;
}

/** The word that a typing mistake away is, if there is one: the same without case, or at most a third of it changed. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const scored = known
    .map((candidate) => ({ candidate, distance: editDistance(lower, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return scored[0]?.candidate;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const swapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swap = swapped ? (before[j - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, swap));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
