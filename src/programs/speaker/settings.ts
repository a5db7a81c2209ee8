import { ON_CORDON, type OnCordon } from '../../domain/election/cordon.ts';
import type { MountFiles } from '../../platform/files/mount.ts';
import { parseYaml } from '../../platform/files/yaml.ts';
import type { Level } from '../../platform/obs/log.ts';
import { POLICIES, type Policy } from '../../protocols/layer2/conflicts.ts';
import { type Timing, UPSTREAM_TIMING } from '../../protocols/layer2/gratuitous.ts';
import { EXCLUDED_BY_DEFAULT, type Exclusion, exclusion } from './layer2/interfaces.ts';
import { HANDOVER_MS } from './options.ts';

/** What can change while the speaker runs. */
export interface Settings {
  readonly excluded: Exclusion;
  /** Absent: what the command line says. */
  readonly logLevel?: Level;
  readonly gratuitous: Timing;
  readonly handoverMs: number;
  /** What is done about another host that has an address of ours. */
  readonly onConflict: Policy;
  readonly onCordon: OnCordon;
}

/** A file that could not be taken; the setting stays as it was. */
export interface Refused {
  readonly file: string;
  readonly message: string;
}

const LEVELS: readonly Level[] = ['all', 'debug', 'info', 'warn', 'error', 'none'];
const EXCLUDE_FILE = 'excludel2.yaml';
/** Upstream's key within it. */
const EXCLUDE_KEY = 'announcedInterfacesToExclude';

export const DEFAULTS: Settings = {
  excluded: defaultExclusion(),
  gratuitous: UPSTREAM_TIMING,
  handoverMs: HANDOVER_MS,
  onConflict: 'defend',
  onCordon: 'auto',
};

function defaultExclusion(): Exclusion {
  const made = exclusion(EXCLUDED_BY_DEFAULT);
  return typeof made === 'function' ? made : () => false;
}

/**
 * Reads a directory of small files, one per setting: `excludel2.yaml` as upstream's ConfigMap has it, and plain values
 * in `logLevel`, `gratuitousIntervalMs`, `gratuitousDurationMs`, `handoverMs`, `onConflict`, `onCordon`. A missing file means the default (so does a
 * missing directory), a bad one leaves its setting as it is `before`. An empty list excludes nothing. Other files are no settings.
 */
export function readSettings(
  files: MountFiles,
  before: Settings,
): { readonly settings: Settings; readonly refused: readonly Refused[] } {
  const refused: Refused[] = [];
  const take = <T>(
    file: string,
    o: { read: (text: string) => T | { error: string }; otherwise: T; before: T },
  ): T => {
    const text = files.get(file);
    if (text === undefined) return o.otherwise;
    const value = o.read(text);
    if (typeof value !== 'object' || value === null || !('error' in value)) return value;
    refused.push({ file, message: value.error });
    return o.before;
  };
  const level = take<Level | undefined>('logLevel', {
    read: oneOf(LEVELS),
    otherwise: undefined,
    before: before.logLevel,
  });
  const interval = { otherwise: DEFAULTS.gratuitous.intervalMs, before: before.gratuitous.intervalMs };
  const duration = { otherwise: DEFAULTS.gratuitous.durationMs, before: before.gratuitous.durationMs };
  const settings: Settings = {
    excluded: take(EXCLUDE_FILE, {
      read: readExcluded,
      otherwise: DEFAULTS.excluded,
      before: before.excluded,
    }),
    ...(level !== undefined && { logLevel: level }),
    gratuitous: {
      intervalMs: take('gratuitousIntervalMs', { read: milliseconds(10), ...interval }),
      durationMs: take('gratuitousDurationMs', { read: milliseconds(0), ...duration }),
    },
    handoverMs: take('handoverMs', {
      read: milliseconds(0),
      otherwise: DEFAULTS.handoverMs,
      before: before.handoverMs,
    }),
    onCordon: take('onCordon', {
      read: oneOf(ON_CORDON),
      otherwise: DEFAULTS.onCordon,
      before: before.onCordon,
    }),
    onConflict: take('onConflict', {
      read: oneOf(POLICIES),
      otherwise: DEFAULTS.onConflict,
      before: before.onConflict,
    }),
  };
  return { settings, refused };
}

function oneOf<T extends string>(words: readonly T[]): (text: string) => T | { error: string } {
  return (text) => {
    const word = text.trim();
    return words.find((one) => one === word) ?? { error: `"${word}" is none of ${words.join(', ')}` };
  };
}

/** A whole number of at most a minute: longer would be a slip of the unit. */
function milliseconds(least: number): (text: string) => number | { error: string } {
  return (text) => {
    const value = Number(text.trim());
    const fine = /^\s*\d+\s*$/.test(text) && value >= least && value <= 60_000;
    return fine
      ? value
      : { error: `"${text.trim()}" is not a number of milliseconds from ${least} to 60000` };
  };
}

function readExcluded(text: string): Exclusion | { error: string } {
  const parsed = parseYaml(text, { source: EXCLUDE_FILE });
  if ('problems' in parsed) return { error: parsed.problems.map((p) => p.message).join('; ') };
  const { value } = parsed;
  const list: unknown =
    typeof value === 'object' && value !== null && EXCLUDE_KEY in value ? value[EXCLUDE_KEY] : [];
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) {
    return { error: `${EXCLUDE_KEY} is not a list of strings` };
  }
  return exclusion(list);
}
