import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diskError, isFolder, readFolder, repositoryOf } from './folders.ts';
import { scratchOf } from './scratch.ts';

let dir: string;
beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'herald-folders-')));
  mkdirSync(join(dir, 'repo/.git'), { recursive: true });
  mkdirSync(join(dir, 'repo/overlays/a/sub'), { recursive: true });
  mkdirSync(join(dir, 'repo/base'));
  writeFileSync(join(dir, 'repo/base/pool.yaml'), 'pool');
  writeFileSync(join(dir, 'repo/overlays/a/kustomization.yaml'), 'own');
  writeFileSync(join(dir, 'repo/overlays/a/values.yaml'), 'values');
  symlinkSync('../../base', join(dir, 'repo/overlays/a/linked'));
  symlinkSync('nowhere', join(dir, 'repo/overlays/a/broken'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('a folder', () => {
  it('lists files and folders apart, links as what they name', async () => {
    expect(await readFolder(join(dir, 'repo/overlays/a'))).toEqual({
      files: ['broken', 'kustomization.yaml', 'values.yaml'],
      folders: ['linked', 'sub'],
    });
  });

  it('says in words that it is not there', async () => {
    const error: unknown = await isFolder(join(dir, 'nowhere')).catch((e: unknown) => e);
    expect(diskError(error)).toMatch(/^ENOENT/);
    expect(diskError(new Error('other'))).toBeUndefined();
  });

  it('finds the repository around it, if there is one', async () => {
    expect(await repositoryOf(join(dir, 'repo/overlays/a'))).toBe(join(dir, 'repo'));
    expect(await repositoryOf(join(dir, 'repo'))).toBe(join(dir, 'repo'));
    expect(await repositoryOf(dir)).toBeUndefined();
  });
});

describe('a scratch copy', () => {
  it('has its own files, all others of the folder, and the same way to what lies beside it', async () => {
    const folder = join(dir, 'repo/overlays/a');
    const files = new Map([['kustomization.yaml', 'changed']]);
    const scratch = await scratchOf({ root: join(dir, 'repo'), folder, files });
    const read = (name: string) => readFileSync(join(scratch.path, name), 'utf8');
    expect([read('kustomization.yaml'), read('values.yaml'), read('../../base/pool.yaml')]).toEqual([
      'changed',
      'values',
      'pool',
    ]);
    expect(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')).toBe('own');
    await scratch.close();
    expect(await isFolder(scratch.path).catch(diskError)).toMatch(/^ENOENT/);
    expect(readFileSync(join(folder, 'values.yaml'), 'utf8')).toBe('values');
  });
});
