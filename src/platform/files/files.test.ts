import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileTooLarge, listFiles, NotUtf8, readJson, readText, readYaml, textProblem } from './files.ts';

let dir: string;
const put = (name: string, text: string) => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'herald-files-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('reading a file', () => {
  it('gives its text without a byte order mark', async () => {
    expect(await readText(put('bom', '\uFEFFgrüße'))).toBe('grüße');
    expect(await readText(put('empty', ''))).toBe('');
  });

  it('takes exactly the largest size and refuses one byte more', async () => {
    expect((await readText(put('fits', 'x'.repeat(100)), { maxBytes: 100 })).length).toBe(100);
    await expect(readText(put('large', 'x'.repeat(101)), { maxBytes: 100 })).rejects.toBeInstanceOf(
      FileTooLarge,
    );
  });

  it('refuses bytes that are not UTF-8, and says so to whoever wrote them', async () => {
    const latin1 = put('latin1', '');
    writeFileSync(latin1, Buffer.from([0x6e, 0xe9, 0x65]));
    const thrown: unknown = await readText(latin1).catch((e: unknown) => e);
    expect(thrown).toBeInstanceOf(NotUtf8);
    expect(textProblem(thrown, 'pool.yaml')).toMatchObject({ code: 'NotUtf8', source: 'pool.yaml' });
    expect(await readText(put('replaced', 'a\uFFFDb'))).toBe('a\uFFFDb');
    expect(textProblem(new Error('else'), 'x')).toBeUndefined();
  });

  it('ends for a file without an end', async () => {
    await expect(readText('/dev/zero', { maxBytes: 1000 })).rejects.toBeInstanceOf(FileTooLarge);
  });

  it('keeps the code of what the disk says', async () => {
    await expect(readText(join(dir, 'nobody'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says where JSON is broken', async () => {
    expect(await readJson(put('good.json', '{"a":[1]}'))).toEqual({ value: { a: [1] } });
    expect(await readJson(put('bad.json', '{"a": 1,\n "b": [2\n'))).toMatchObject({
      problems: [{ code: 'NotJson', line: 3 }],
    });
    expect(await readJson(put('yaml.json', 'a: 1'))).toMatchObject({ problems: [{ code: 'NotJson' }] });
  });

  it('names the file in what is wrong with its YAML', async () => {
    const path = put('bad.yaml', 'a: 1\na: 2\n');
    expect(await readYaml(path)).toMatchObject({ problems: [{ source: path, line: 2 }] });
  });
});

describe('listing a directory', () => {
  it('gives its files of some endings in order, without directories', async () => {
    const sub = join(dir, 'sub');
    mkdirSync(join(sub, 'x.yaml'), { recursive: true });
    for (const name of ['b.yaml', 'a.yml', 'c.txt']) writeFileSync(join(sub, name), '');
    expect(await listFiles(sub, ['.yaml', '.yml'])).toEqual([join(sub, 'a.yml'), join(sub, 'b.yaml')]);
  });
});
