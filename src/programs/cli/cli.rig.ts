/** Files for tests of the commands, written as an operator would keep them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { Problem } from '../../domain/api/problem.ts';
import type { Validated } from './validate.ts';

export interface Tree {
  /** The path of a file or folder in it; the tree itself without an argument. */
  path(name?: string): string;
  /** "a.yaml:3:5 Code path", with paths from the tree; warnings and notices begin with their severity. */
  told(result: { readonly problems: readonly Problem[] }): string[];
  remove(): void;
}

/** Writes files (name to text). `.git/` makes the tree a repository. */
export function tree(files: Readonly<Record<string, string>>): Tree {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'herald-cli-')));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(join(root, name), text);
    else mkdirSync(join(root, name), { recursive: true });
  }
  const short = (path: string | undefined) =>
    path?.startsWith(root) ? relative(root, path) || '.' : (path ?? '');
  return {
    path: (name = '.') => join(root, name),
    told: ({ problems }) =>
      problems.map(({ severity, source, line, column, code, path }) => {
        const place = [short(source), line, column].filter((p) => p !== undefined).join(':');
        return [severity, place, code, path].filter((p) => p !== undefined && p !== '').join(' ');
      }),
    remove: () => rmSync(root, { recursive: true }),
  };
}

/** Ids of all rendered objects. */
export function objectsOf({ overlays }: Validated): readonly string[] {
  return overlays.flatMap((o) => o.sources.flatMap((s) => s.objects));
}

/** Whether folders can be built here. */
export const hasKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0;
