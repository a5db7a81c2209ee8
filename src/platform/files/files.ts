/** Small readers over node:fs, so that no other room needs it. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../../domain/api/problem.ts';
import { type Parsed, parseYaml } from './yaml.ts';

/** As large as a ConfigMap or Secret can be: nothing that Herald reads is larger. */
export const MAX_BYTES = 1024 * 1024;

/** Larger than the caller allows. */
export class FileTooLarge extends Error {
  override readonly name = 'FileTooLarge';
}

/**
 * The file as UTF-8 text, without a byte order mark. Throws FileTooLarge beyond `maxBytes` (default 1 MiB), and what node:fs throws:
 * `code` says which, ENOENT when there is none.
 */
export async function readText(path: string, o: { maxBytes?: number } = {}): Promise<string> {
  const max = o.maxBytes ?? MAX_BYTES;
  const file = await open(path, 'r');
  try {
    // One byte more than allowed tells "too large" without trusting a size that /proc and pipes do not have.
    const buffer = Buffer.alloc(max + 1);
    let length = 0;
    while (length <= max) {
      const { bytesRead } = await file.read(buffer, length, max + 1 - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > max) throw new FileTooLarge(`${path}: larger than ${max} bytes`);
    return withoutMark(buffer.toString('utf8', 0, length));
  } finally {
    await file.close();
  }
}

/** Editors on other systems put U+FEFF first; neither JSON nor our YAML wants it. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** The file's JSON, or why it is none, with its place. Throws as `readText` does. */
export async function readJson(
  path: string,
  o: { maxBytes?: number } = {},
): Promise<{ readonly value: unknown } | { readonly problems: readonly Problem[] }> {
  const text = await readText(path, o);
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    // YAML is a superset, and its parser says where; what it does take is a slip that JSON forbids.
    const parsed = parseYaml(text, { source: path });
    const [first] = 'problems' in parsed ? parsed.problems : [];
    return { problems: [{ path: '', source: path, message: 'is not JSON', ...first, code: 'NotJson' }] };
  }
}

/** The file's YAML (JSON is a part of it), with the place of each value. Throws as `readText` does. */
export async function readYaml(path: string, o: { maxBytes?: number } = {}): Promise<Parsed> {
  return parseYaml(await readText(path, o), { source: path });
}

/** Paths of the files directly in `dir` whose names end in one of `endings`, sorted by name. */
export async function listFiles(dir: string, endings: readonly string[]): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((e) => !e.isDirectory() && endings.some((ending) => e.name.endsWith(ending)))
    .map((e) => join(dir, e.name))
    .sort();
}
