import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { getuid } from 'node:process';
import { type Level, missingTools, which } from '../../tools/servers/manifest.ts';

export type { Level } from '../../tools/servers/manifest.ts';

const root = (): boolean => getuid?.() === 0;

/** Whether this user can make network namespaces: as root, or inside a user namespace of one's own. */
const canUnshare = (): boolean =>
  which('unshare') !== undefined &&
  spawnSync('unshare', root() ? ['-n', 'true'] : ['-Urn', 'true']).status === 0;

/** Root of a user namespace is root in name only: the mode bits of cgroups still hold. */
function writable(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why a machine cannot carry nodes, apart from programs that are missing. */
function nodeObstacle(): string | undefined {
  if (!root()) return 'a whole cluster needs root (cgroups and mounts)';
  const hierarchies = ['/sys/fs/cgroup/cgroup.subtree_control', '/sys/fs/cgroup/memory/cgroup.procs'];
  const mounted = hierarchies.filter((path) => existsSync(path));
  if (mounted.length === 0) return 'no cgroup file system with memory control is mounted';
  if (!mounted.some(writable)) return 'this user may not make cgroups';
  if (!readFileSync('/proc/filesystems', 'utf8').includes('\toverlay\n'))
    return 'the kernel has no overlay file system';
  return canUnshare() ? undefined : 'this user may not make network namespaces';
}

/** Whether this machine can run a level: true, or in one line why not and what would mend it. */
export function available(level: Level): true | string {
  if (process.platform !== 'linux') return 'needs Linux';
  // What cannot be mended by an installation comes first.
  const obstacle = level === 'cluster' ? nodeObstacle() : undefined;
  if (obstacle !== undefined) return obstacle;
  const missing = missingTools(level);
  if (missing.length > 0) return `missing: ${missing.join('; ')}`;
  if (level === 'netns' && !canUnshare()) return 'this user may not make network namespaces';
  return true;
}

/** Throws with the reason where a level cannot run. */
export function demand(level: Level): void {
  const can = available(level);
  if (can !== true) throw new Error(`cannot run the level "${level}" here: ${can}`);
}
