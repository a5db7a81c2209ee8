import { at } from '../../api/check.ts';
import type { Context } from '../source.ts';

/** What the chart of a release makes of configuration in its values. unknown: it is another chart, or none. */
export type Effect = 'effective' | 'ignored' | 'refused' | 'unknown';

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

const NEWEST = Number.POSITIVE_INFINITY;

/**
 * Upstream's chart renders configInline up to 0.12, passes over it in 0.13.0 to 0.13.2 and fails from 0.13.3 on. Bitnami's, numbered from
 * 1, always renders it; from 4.0 on it brings a MetalLB that no longer looks, unless the values name an older image.
 */
export function effectOf(chart: Context['chart'], values: unknown): Effect {
  const { name, version: text = '' } = chart ?? { name: '' };
  if (name.split('/').at(-1) !== 'metallb') return 'unknown';
  const { major, minor, patch } = newestOf(text);
  if (major >= 1) return major <= 3 || runsOld(values) ? 'effective' : 'ignored';
  if (minor <= 12) return 'effective';
  return minor === 13 && patch <= 2 ? 'ignored' : 'refused';
}

/** Whether it is Bitnami's chart, as far as the number tells. */
export function isBitnami(chart: Context['chart']): boolean {
  return chart !== undefined && newestOf(chart.version ?? '').major >= 1;
}

function runsOld(values: unknown): boolean {
  const tag = at(values, ['controller', 'image', 'tag']);
  const [, minor] = typeof tag === 'string' ? (/^v?0\.(\d+)/.exec(tag) ?? []) : [];
  return minor !== undefined && Number(minor) <= 12;
}

/** The newest version that a version or a range of versions allows. */
function newestOf(text: string): Version {
  const below = /<(=?)\s*([\dv][^\s,|]*)/.exec(text);
  if (below?.[2] !== undefined) {
    const bound = versionOf(below[2]);
    return below[1] === '=' ? bound : before(bound);
  }
  const version = versionOf(text);
  const open = !/\d/.test(text) || /^\s*>/.test(text);
  if (open) return { major: version.major > 0 ? NEWEST : 0, minor: NEWEST, patch: NEWEST };
  if (/^\s*\^/.test(text) && version.major > 0) return { ...version, minor: NEWEST, patch: NEWEST };
  return /^\s*[~^]/.test(text) ? { ...version, patch: NEWEST } : version;
}

/** Parts that are not there, or an x, are as new as can be. */
function versionOf(text: string): Version {
  const [major, minor = NEWEST, patch = NEWEST] = [
    ...(/\d+(\.\d+){0,2}/.exec(text)?.[0].split('.') ?? []),
  ].map(Number);
  return { major: major ?? 0, minor, patch };
}

function before({ major, minor, patch }: Version): Version {
  if (patch > 0 && patch !== NEWEST) return { major, minor, patch: patch - 1 };
  if (minor > 0 && minor !== NEWEST) return { major, minor: minor - 1, patch: NEWEST };
  return { major: major - 1, minor: NEWEST, patch: NEWEST };
}
