import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Generated files: path from the project's root to text. */
export type Files = ReadonlyMap<string, string>;

const ROOT = join(import.meta.dirname, '../..');

/** Paths that differ from what would be generated now: changed, missing, or left over in an owned folder. */
export async function stale(files: Files, owned: readonly string[]): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const [path, text] of files) if ((await read(path)) !== text) changed.push(path);
  return [...changed, ...(await leftOver(files, owned))].sort();
}

/** Writes what differs, removes what is left over in the owned folders, and prints each such path. */
export async function generate(files: Files, owned: readonly string[]): Promise<void> {
  const paths = await stale(files, owned);
  for (const path of paths) {
    const text = files.get(path);
    if (text === undefined) await rm(join(ROOT, path));
    else await write(path, text);
    console.log(`${text === undefined ? 'removed' : 'wrote'} ${path}`);
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(ROOT, path)), { recursive: true });
  await writeFile(join(ROOT, path), text);
}

async function read(path: string): Promise<string | undefined> {
  return await readFile(join(ROOT, path), 'utf8').catch(() => undefined);
}

async function leftOver(files: Files, owned: readonly string[]): Promise<readonly string[]> {
  const listed = await Promise.all(
    owned.map(async (folder) => {
      const names = await readdir(join(ROOT, folder)).catch(() => []);
      return names.map((name) => `${folder}/${name}`);
    }),
  );
  return listed.flat().filter((path) => !files.has(path));
}
