import { type Mount, type MountFiles, watchMount } from '../../platform/files/mount.ts';
import type { Clock } from '../../platform/obs/clock.ts';
import type { Level, Log } from '../../platform/obs/log.ts';
import { LOG } from './events.ts';
import { DEFAULTS, readSettings, type Settings } from './settings.ts';

export interface MountedSettingsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: the defaults stay in force. */
  readonly dir?: string | undefined;
  /** What the command line says; a mounted setting goes before it. */
  readonly logLevel: Level;
  /** Other settings are in force than before. */
  readonly onChange: (settings: Settings) => void;
}

/** The settings in force, as a mounted folder has them. */
export class MountedSettings {
  readonly #o: MountedSettingsOptions;
  #now: Settings = DEFAULTS;
  #mount: Mount | undefined;

  constructor(o: MountedSettingsOptions) {
    this.#o = o;
  }

  get now(): Settings {
    return this.#now;
  }

  /** Resolves when the folder is read for the first time. */
  async start(): Promise<void> {
    const { dir, clock, log } = this.#o;
    if (dir === undefined) return;
    this.#mount = watchMount({ dir, clock, log, onChange: (files) => this.#take(files) });
    await this.#mount.first;
  }

  async close(): Promise<void> {
    await this.#mount?.close();
  }

  #take(files: MountFiles): void {
    const { log, logLevel, onChange } = this.#o;
    const { settings, refused } = readSettings(files, this.#now);
    this.#now = settings;
    for (const { file, message } of refused)
      log.error({ op: 'settings', file, problem: message }, LOG.settingsRefused);
    const level = settings.logLevel ?? logLevel;
    log.setLevel(level);
    onChange(settings);
    log.info({ op: 'settings', logLevel: level, files: [...files.keys()] }, LOG.settingsTaken);
  }
}
