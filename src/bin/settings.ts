import { Option } from 'commander';
import { watchMount } from '../platform/files/mount.ts';
import type { Clock } from '../platform/obs/clock.ts';
import type { Level, Log } from '../platform/obs/log.ts';
import { levels } from './flags.ts';

/** `--config-dir`, for programs whose only mounted setting is the log level. */
export const configDirOption = (): Option =>
  new Option('--config-dir <path>', 'mounted settings (logLevel), followed live');

interface Followed {
  /** Absent: nothing is followed. */
  readonly dir: string | undefined;
  /** In force where the file is missing. */
  readonly level: Level;
  readonly log: Log;
  readonly clock: Clock;
}

/** Keeps the log level at what the file `logLevel` of a mounted directory says. A word that is no level changes nothing. */
export function followLogLevel(o: Followed): { close(): Promise<void> } {
  if (o.dir === undefined) return { close: async () => {} };
  return watchMount({
    dir: o.dir,
    clock: o.clock,
    log: o.log,
    onChange(files) {
      const word = (files.get('logLevel') ?? o.level).trim();
      const level = levels.find((known) => known === word);
      if (level === undefined)
        o.log.warn({ op: 'settings', given: word }, 'log level is unknown, the last one stays');
      else {
        o.log.setLevel(level);
        o.log.info({ op: 'settings', logLevel: level }, 'settings taken');
      }
    },
  });
}
