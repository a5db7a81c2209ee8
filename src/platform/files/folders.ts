/** Folders on disk: what is in them, and where the repository around them begins. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Names in a folder, sorted; what a symbolic link names decides what it is, and a broken one counts as a file. */
export interface Folder {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Throws what node:fs throws. */
export async function readFolder(path: string): Promise<Folder> {
  const entries = await readdir(path, { withFileTypes: true });
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of entries) {
    const linked = entry.isSymbolicLink() && (await isFolder(join(path, entry.name)).catch(() => false));
    (entry.isDirectory() || linked ? folders : files).push(entry.name);
  }
  return { files: files.sort(), folders: folders.sort() };
}

/** Throws what node:fs throws: `code` ENOENT when there is nothing. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}

/** The same folder without symbolic links: two paths to one folder give one text. Throws what node:fs throws. */
export const realPath = (path: string): Promise<string> => realpath(path);

/** The nearest folder at or above `path` that holds `.git`; undefined outside of a repository. */
export async function repositoryOf(path: string): Promise<string | undefined> {
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    const found = await stat(join(folder, '.git')).catch(() => undefined);
    if (found) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** What the disk says about a path in words, from an error of node:fs; undefined for any other error. */
export function diskError(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.message
    : undefined;
}
