/** A copy of a folder with some files of its own, made of links, so that the folder itself is never written. */
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';

export interface Scratch {
  /** The copy of the folder, and where that of `root` begins. */
  readonly path: string;
  readonly root: string;
  close(): Promise<void>;
}

/**
 * Lays links to everything between `root` and the folder, so that `../base` leads from the copy where it leads from the folder;
 * `files` (name to text) stand in the copy in place of those of the folder. root: the folder itself or one above it.
 */
export async function scratchOf(o: {
  readonly root: string;
  readonly folder: string;
  readonly files: ReadonlyMap<string, string>;
}): Promise<Scratch> {
  const root = await realpath(o.root);
  const folder = await realpath(o.folder);
  const top = await realpath(await mkdtemp(join(tmpdir(), 'herald-')));
  const close = () => rm(top, { recursive: true, force: true });
  try {
    let [from, to] = [root, top];
    for (const step of relative(root, folder).split(sep).filter(Boolean)) {
      await linkAll(from, to, new Set([step]));
      [from, to] = [join(from, step), join(to, step)];
      await mkdir(to);
    }
    await linkAll(from, to, new Set(o.files.keys()));
    for (const [name, text] of o.files) await writeFile(join(to, name), text);
    return { path: to, root: top, close };
  } catch (e) {
    await close();
    throw e;
  }
}

async function linkAll(from: string, to: string, except: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(from))
    if (!except.has(name)) await symlink(join(from, name), join(to, name));
}
