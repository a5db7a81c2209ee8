/**
 * Removing everything that a run of servers made, from what the kernel and the run's folder tell: processes, cgroups,
 * network namespaces, bridge. Works for a run of one's own and for one whose owner died, any number of times.
 *
 * Started as a program (`clean.ts DIR`) it is the reaper: it cleans one run.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exec } from './exec.ts';

/** Every process of a run carries its folder in this environment variable, which children inherit. */
export const MARK = 'HERALD_RUN';

/** Prefix of every interface, namespace and cgroup of a run: at most 6 characters, as interface names end at 15. */
export const prefixOf = (dir: string): string => `h${basename(dir)}`;

const list = (dir: string): string[] => {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
};
const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Processes that carry the mark of this run; those of other users are not seen unless one is root. */
function marked(dir: string): number[] {
  const mark = `\0${MARK}=${dir}\0`;
  return list('/proc')
    .filter((name) => /^\d+$/.test(name) && `\0${read(`/proc/${name}/environ`)}`.includes(mark))
    .map(Number);
}

/** None where the folder itself has gone meanwhile: containers end while they are looked for. */
function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** The run's cgroup in each hierarchy (one with cgroup v2, a dozen with v1), deepest first. */
function cgroups(dir: string): string[] {
  const root = '/sys/fs/cgroup';
  const below = (path: string): string[] => [
    ...folders(path).flatMap((name) => below(join(path, name))),
    path,
  ];
  const tops = [root, ...list(root).map((name) => join(root, name))].map((top) => join(top, prefixOf(dir)));
  return tops.filter((path) => existsSync(path)).flatMap(below);
}

/** Processes of the run: its servers by their mark, the containers' by their cgroup. */
export function processesOf(dir: string): number[] {
  const contained = cgroups(dir).flatMap((path) =>
    read(join(path, 'cgroup.procs')).split('\n').filter(Boolean).map(Number),
  );
  return [...new Set([...marked(dir), ...contained])].filter((pid) => pid > 0 && pid !== process.pid);
}

/** What of a run is left on the machine, in words; empty after a clean stop. Network names only as far as `/sys` shows them. */
export function leftovers(dir: string): string[] {
  const prefix = prefixOf(dir);
  return [
    ...processesOf(dir).map((pid) => `process ${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`),
    ...cgroups(dir).map((path) => `cgroup ${path}`),
    ...list('/run/netns')
      .filter((n) => n.startsWith(`${prefix}-`))
      .map((n) => `network namespace ${n}`),
    ...list('/sys/class/net')
      .filter((n) => n.startsWith(`${prefix}-`))
      .map((n) => `interface ${n}`),
    ...read('/proc/self/mounts')
      .split('\n')
      .filter((line) => line.includes(dir))
      .map((line) => `mount ${line}`),
    ...(existsSync(dir) ? [`folder ${dir}`] : []),
  ];
}

/** Repeats until `done` or ten seconds are over; what stays is told by the next start, which tries again. */
async function insist(done: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !(await done()) && performance.now() < end; ) await sleep(20);
}

/** SIGKILL to all until none is left: kubelets and shims start others while they live, and all state is disposable. */
async function killAll(dir: string): Promise<void> {
  await insist(() => {
    const pids = processesOf(dir);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
    return pids.length === 0;
  });
}

/** Mounts need no undoing: they live in the nodes' own mount namespaces, which end with their processes. */
async function removeNetworks(prefix: string): Promise<void> {
  // Rules that the lab makes to cut its links; not every run has some, nor every machine the tool.
  await exec('nft', ['delete', 'table', 'bridge', prefix]);
  const namespaces = list('/run/netns').filter((name) => name.startsWith(`${prefix}-`));
  await Promise.all(namespaces.map((name) => exec('ip', ['netns', 'del', name])));
  const links = () => list('/sys/class/net').filter((name) => name.startsWith(`${prefix}-`));
  // The kernel takes a namespace's devices away a little after its name.
  await Promise.all(links().map((name) => exec('ip', ['link', 'del', name])));
  await insist(() => links().length === 0);
}

async function removeCgroups(dir: string): Promise<void> {
  await insist(() => {
    for (const path of cgroups(dir)) {
      try {
        rmdirSync(path);
      } catch {
        // Busy until its last process is reaped.
      }
    }
    return cgroups(dir).length === 0;
  });
}

/** Logs of ended runs stay for a while: this many runs, newest first. */
const KEPT = 10;

/** Moves the logs of a run out of it, to `logs/<run>` beside it, and forgets the oldest. Returns where they are. */
export function keepLogs(dir: string): string {
  const kept = join(dirname(dir), 'logs');
  const to = join(kept, basename(dir));
  if (!existsSync(join(dir, 'logs'))) return to;
  mkdirSync(kept, { recursive: true });
  rmSync(to, { recursive: true, force: true });
  try {
    renameSync(join(dir, 'logs'), to);
  } catch (e) {
    // Another process cleans the same run.
    if (existsSync(join(dir, 'logs'))) throw e;
    return to;
  }
  writeFileSync(join(to, 'moved'), String(Date.now()));
  const byAge = list(kept)
    .map((name) => ({ name, at: Number(read(join(kept, name, 'moved')) || 0) }))
    .sort((a, b) => b.at - a.at);
  for (const old of byAge.slice(KEPT)) rmSync(join(kept, old.name), { recursive: true, force: true });
  return to;
}

/** Takes a run off the machine. Its logs stay, see keepLogs. Idempotent; two at once do no harm. */
export async function clean(dir: string): Promise<void> {
  await killAll(dir);
  await removeNetworks(prefixOf(dir));
  await removeCgroups(dir);
  const blocks = join(dirname(dir), 'blocks');
  for (const block of list(blocks)) {
    if (linkTarget(join(blocks, block)) === dir) rmSync(join(blocks, block), { force: true });
  }
  if (existsSync(dir)) keepLogs(dir);
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** Where a symbolic link points, without asking whether that exists. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const dir = process.argv[2];
  if (dir !== undefined) await clean(dir);
}
