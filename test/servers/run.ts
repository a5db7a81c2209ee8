/**
 * A run: one set of servers with a folder, a name and an address block of its own, and the daemons in it. Whatever
 * becomes of the process that owns a run, everything in it goes away: by `close()`, by the reaper when the owner dies, or
 * by the sweep that the next start makes.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { clean, linkTarget, MARK, prefixOf } from './clean.ts';
import { until } from './exec.ts';

/** Where runs live. Short, as the path of a UNIX socket ends at 107 bytes. */
export const BASE = process.env.HERALD_RUNS || join(tmpdir(), `herald-${userInfo().uid}`);

/** Address blocks: each run has 127.89.N.1 for itself, and a cluster 10.89.N.0/24 and 10.(128+N).0.0/16. */
const BLOCKS = 64;

export interface Run {
  readonly dir: string;
  /** Where the daemons log while the run lasts. */
  readonly logs: string;
  /** Where the logs are after the run. */
  readonly keptLogs: string;
  readonly prefix: string;
  /** Number of the address block, from 0. */
  readonly block: number;
  /** A loopback address that no other run uses, so that a port found free stays free. */
  readonly loopback: string;
  /** A port that is free on this address now. */
  freePort(address?: string): Promise<number>;
  start(o: DaemonOptions): Daemon;
  /** Has `close()` do this first, the newest first; for what lives in this process. */
  defer(end: () => Promise<void>): void;
  /** Ends and removes everything of the run. Idempotent. */
  close(): Promise<void>;
}

export interface DaemonOptions {
  /** Also the name of the log: `logs/<name>.log`, appended to by a later start of the same name. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** A server that runs until it is stopped. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<void>;
  /** Sends a signal (default SIGTERM), then SIGKILL after `graceMs` (default 5000); resolves when it has ended. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
  /** Waits until `probe` answers; fails early, with the end of the log, when the daemon ends. */
  ready<T>(probe: () => Promise<T | undefined | false>, timeoutMs?: number): Promise<T>;
}

/** Start time of a process in clock ticks since boot: with it a process id is unique. Undefined when there is none. */
function startTime(pid: number | string): string | undefined {
  try {
    // Field 22 of proc(5) stat; the second, a name in parentheses, may hold spaces.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Whether the owner that a run's folder names still lives. A folder without an owner counts for a minute. */
function owned(dir: string): boolean {
  try {
    const [pid = '', start] = readFileSync(join(dir, 'owner'), 'utf8').split(' ');
    return startTime(pid) === start;
  } catch {
    const made = statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return Date.now() - made < 60_000;
  }
}

const isRun = (name: string): boolean => /^[a-z0-9]{5}$/.test(name);

/** Cleans the runs of dead owners. */
export async function sweep(): Promise<void> {
  if (!existsSync(BASE)) return;
  const dead = readdirSync(BASE).filter((name) => isRun(name) && !owned(join(BASE, name)));
  await Promise.all(dead.map((name) => clean(join(BASE, name))));
}

/** Makes a folder that nobody has; its name is the run's. */
function claimDir(): string {
  mkdirSync(BASE, { recursive: true, mode: 0o755 });
  // Its name can be guessed, and anybody may make folders in /tmp.
  if (statSync(BASE).uid !== userInfo().uid)
    throw new Error(`${BASE} belongs to somebody else; set HERALD_RUNS`);
  for (;;) {
    const name = Math.floor(Math.random() * 36 ** 5)
      .toString(36)
      .padStart(5, '0');
    // "logs" and "blocks" lie beside the runs; neither has five characters.
    const dir = join(BASE, name);
    try {
      mkdirSync(dir, { mode: 0o755 });
      return dir;
    } catch (e) {
      if (!existsSync(dir)) throw e;
    }
  }
}

/** Takes the first address block that neither a run nor the machine's routes use. */
function claimBlock(dir: string): number {
  const blocks = join(BASE, 'blocks');
  mkdirSync(blocks, { recursive: true });
  const routes = spawnSync('ip', ['-4', 'route'], { encoding: 'utf8' }).stdout ?? '';
  for (let n = 0; n < BLOCKS; n++) {
    if (routes.includes(`10.89.${n}.`) || routes.includes(`10.${128 + n}.`)) continue;
    try {
      symlinkSync(dir, join(blocks, String(n)));
      return n;
    } catch (e) {
      if (linkTarget(join(blocks, String(n))) === undefined) throw e;
    }
  }
  throw new Error(`all ${BLOCKS} address blocks are in use; see ${BASE}`);
}

/** Starts the process that cleans up when this one is gone: its standard input closes then, whatever the reason was. */
function startReaper(dir: string): ChildProcess {
  const script = 'read -r _; exec "$0" "$1" "$2" </dev/null';
  const args = ['-c', script, process.execPath, join(import.meta.dirname, 'clean.ts'), dir];
  const reaper = spawn('sh', args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
  reaper.unref();
  // The pipe must not keep this process running.
  if (reaper.stdin && 'unref' in reaper.stdin && typeof reaper.stdin.unref === 'function')
    reaper.stdin.unref();
  return reaper;
}

function startDaemon(run: { dir: string; logs: string }, o: DaemonOptions): Daemon {
  const log = join(run.logs, `${o.name}.log`);
  const fd = openSync(log, 'a');
  const child = spawn(o.command, o.args, {
    // A session of its own: Ctrl-C in the terminal reaches the owner only.
    detached: true,
    stdio: ['ignore', fd, fd],
    env: { ...process.env, ...o.env, [MARK]: run.dir },
    cwd: o.cwd ?? run.dir,
  });
  closeSync(fd);
  child.unref();
  let end: string | undefined;
  const ended = new Promise<void>((resolve) => {
    const over = (text: string) => {
      end ??= text;
      resolve();
    };
    child.on('error', (e) => over(e.message));
    child.on('exit', (code, signal) => over(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const tail = () => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
  return {
    name: o.name,
    pid: child.pid ?? 0,
    log,
    ended,
    async stop(signal = 'SIGTERM', graceMs = 5000) {
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      if (end === undefined) await ended;
      clearTimeout(timer);
    },
    ready: (probe, timeoutMs = 60_000) =>
      until(`${o.name}, see ${log}`, probe, {
        timeoutMs,
        stop: () => (end === undefined ? undefined : new Error(`${o.name} ended: ${end}\n${tail()}`)),
      }),
  };
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, address, () => {
      const at = server.address();
      server.close(() =>
        at !== null && typeof at === 'object' ? resolve(at.port) : reject(new Error('no port')),
      );
    });
  });
}

/** Begins a run, after cleaning up behind dead ones. */
export async function beginRun(): Promise<Run> {
  await sweep();
  const dir = claimDir();
  writeFileSync(join(dir, 'owner'), `${process.pid} ${startTime(process.pid)}`);
  const reaper = startReaper(dir);
  const logs = join(dir, 'logs');
  mkdirSync(logs);
  chmodSync(dir, 0o755);
  const block = claimBlock(dir);
  const loopback = `127.89.${block}.1`;
  let closing: Promise<void> | undefined;
  const ends: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of ends.reverse()) await end();
    await clean(dir);
    reaper.kill('SIGKILL');
  };
  return {
    dir,
    logs,
    keptLogs: join(BASE, 'logs', dir.slice(BASE.length + 1)),
    prefix: prefixOf(dir),
    block,
    loopback,
    freePort: (address = loopback) => freePort(address),
    start: (o) => startDaemon({ dir, logs }, o),
    defer: (end) => void ends.push(end),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Begins a run, lets `start` fill it, and takes it away again, but for the logs, when that fails. */
export async function inRun<T>(start: (run: Run) => Promise<T>): Promise<T> {
  const run = await beginRun();
  try {
    return await start(run);
  } catch (e) {
    await run.close();
    const text = e instanceof Error ? e.message : String(e);
    throw new Error(`${text}\nlogs: ${run.keptLogs}`, { cause: e });
  }
}
