import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Generated files: path from the project's root to text. */
export type Files = ReadonlyMap<string, string>;

const ROOT = join(import.meta.dirname, '../..');

/** Paths that differ from what would be generated now: changed, missing, or left over in an owned folder. */
export async function stale(files: Files, owned: readonly string[], root = ROOT): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const [path, text] of files) if ((await read(join(root, path))) !== text) changed.push(path);
  return [...changed, ...(await leftOver(files, owned, root))].sort();
}

/** Writes what differs and removes what is left over in the owned folders; says which, one line each. */
export async function generate(
  files: Files,
  owned: readonly string[],
  root = ROOT,
): Promise<readonly string[]> {
  const paths = await stale(files, owned, root);
  const lines: string[] = [];
  for (const path of paths) {
    const text = files.get(path);
    if (text === undefined) await rm(join(root, path));
    else await write(join(root, path), text);
    lines.push(`${text === undefined ? 'removed' : 'wrote'} ${path}`);
  }
  return lines;
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function read(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}

async function leftOver(files: Files, owned: readonly string[], root: string): Promise<readonly string[]> {
  const listed = await Promise.all(
    owned.map(async (folder) => {
      const names = await readdir(join(root, folder)).catch(() => []);
      return names.map((name) => `${folder}/${name}`);
    }),
  );
  return listed.flat().filter((path) => !files.has(path));
}
