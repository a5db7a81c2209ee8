/**
 * A directory that kubelet fills from a ConfigMap or Secret. kubelet writes a new hidden directory and renames the symlink `..data`
 * onto it; the visible files are links through that and never change themselves, so it is the directory that is watched. A subPath mount never
 * changes at all and cannot be watched.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { watch } from 'chokidar';
import type { Clock, Timer } from '../obs/clock.ts';
import type { Log } from '../obs/log.ts';

/** Name to text, in order of the names. */
export type MountFiles = ReadonlyMap<string, string>;

export interface Mount {
  /** What was read last; empty before the first reading that succeeded. */
  current(): MountFiles;
  /** Resolves after the first reading, be it a failed one: a directory that is missing is waited for. */
  readonly first: Promise<void>;
  close(): Promise<void>;
}

/** A swap brings several events; they are over well within this. */
const SETTLE_MS = 100;
/** Looks unasked as well: a lost event costs a minute, not a change. */
const LOOK_MS = 60_000;
/** A directory caught between two versions is whole again after this. */
const AGAIN_MS = 250;

async function readAll(dir: string): Promise<MountFiles> {
  const names = (await readdir(dir)).filter((n) => !n.startsWith('..')).sort();
  const files = new Map<string, string>();
  for (const name of names) {
    const path = join(dir, name);
    if ((await stat(path)).isFile()) files.set(name, await readFile(path, 'utf8'));
  }
  return files;
}

function hashOf(files: MountFiles): string {
  return createHash('sha256')
    .update(JSON.stringify([...files]))
    .digest('hex');
}

export interface MountOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when the contents differ from what was read before, the first time too; never twice for the same contents. */
  readonly onChange: (files: MountFiles) => void;
}

/** Reads the directory at once, then after each change and once a minute. */
export function watchMount(o: MountOptions): Mount {
  return new Watching(o);
}

class Watching implements Mount {
  readonly first: Promise<void>;
  readonly #o: MountOptions;
  readonly #watcher: ReturnType<typeof watch>;
  #files: MountFiles = new Map();
  #hash = '';
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #missed = false;
  #closed = false;

  constructor(o: MountOptions) {
    this.#o = o;
    this.#watcher = watch(o.dir, { depth: 0, ignoreInitial: true, followSymlinks: false });
    this.#watcher.on('all', () => this.#in(SETTLE_MS));
    this.#watcher.on('error', (error) => o.log.warn({ op: 'mount', dir: o.dir, error }, 'watching failed'));
    this.first = this.look();
  }

  current(): MountFiles {
    return this.#files;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#watcher.close();
    await this.#looking;
  }

  /** Reads and compares; never rejects. A call during another one has it look once more. */
  look(): Promise<void> {
    this.#missed = this.#looking !== undefined;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#missed) this.#in(SETTLE_MS);
    });
    return this.#looking;
  }

  #in(ms: number): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    this.#timer = this.#o.clock.after(ms, () => void this.look());
  }

  async #look(): Promise<void> {
    const { dir, log } = this.#o;
    try {
      const files = await readAll(dir);
      this.#in(LOOK_MS);
      const hash = hashOf(files);
      if (hash === this.#hash || this.#closed) return;
      this.#hash = hash;
      this.#files = files;
      this.#tell(files);
    } catch (error) {
      // Half-swapped, or not mounted yet: what was read last stays.
      log.debug({ op: 'mount', dir, error }, 'directory could not be read, trying again');
      this.#in(AGAIN_MS);
    }
  }

  #tell(files: MountFiles): void {
    try {
      this.#o.onChange(files);
    } catch (error) {
      this.#o.log.error({ op: 'mount', dir: this.#o.dir, error }, 'listener failed');
    }
  }
}
