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

/** Bytes that are no UTF-8 text. */
export class NotUtf8 extends Error {
  override readonly name = 'NotUtf8';
}

/** What FileTooLarge and NotUtf8 say to whoever wrote the file; undefined for every other error. */
export function textProblem(e: unknown, source: string): Problem | undefined {
  const about = { source, path: '' };
  if (e instanceof FileTooLarge)
    return { ...about, code: 'YamlTooLarge', message: `is larger than ${MAX_BYTES} bytes` };
  if (e instanceof NotUtf8)
    return {
      ...about,
      code: 'NotUtf8',
      message: 'holds bytes that are not UTF-8 text',
      hint: 'save it as UTF-8',
    };
  return undefined;
}

/**
 * The file as UTF-8 text, without a byte order mark. Throws FileTooLarge beyond `maxBytes` (default 1 MiB), NotUtf8, and what
 * node:fs throws: `code` says which, ENOENT when there is none.
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
    return withoutMark(decode(buffer.subarray(0, length), path));
  } finally {
    await file.close();
  }
}

/** A replacement character in the place of a bad byte would change what the file says. */
function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NotUtf8(`${path}: not UTF-8 text`);
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
