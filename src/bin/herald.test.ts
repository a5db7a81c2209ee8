import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'herald-bin-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const good = file('good.yaml', 'iprange: 192.0.2.0/28\n');
const bad = file('bad.yaml', 'iprange: 192.0.2.9\n');
const none = join(dir, 'none.yaml');

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
const herald = (...args: readonly string[]) =>
  new Promise<Ran>((done) => {
    const child = execFile(
      process.execPath,
      [join(import.meta.dirname, 'herald.ts'), ...args],
      (_, out, err) => done({ code: child.exitCode, out, err }),
    );
  });

describe('the command herald', () => {
  it('answers with an exit code, and prints what it was asked for', async () => {
    const [fine, wrong, missing, values, nothing] = await Promise.all([
      herald('validate', good),
      herald('validate', '-o', 'json', bad),
      herald('validate', good, none),
      herald('import', good),
      herald('import', bad),
    ]);
    expect([fine.code, fine.out.split('\n').at(-2)]).toEqual([
      0,
      '1 file, 1 source, 2 objects, 0 errors, 0 warnings',
    ]);
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.out)).toMatchObject({
      problems: [{ code: 'Renamed' }, { code: 'PoolRangeInvalid' }],
    });
    expect(missing.code).toBe(2);
    expect(missing.out).toContain('none.yaml: cannot be read');
    expect([values.code, values.out]).toEqual([0, expect.stringContaining('# from')]);
    expect(values.err).toContain('becomes the pool metallb');
    expect([nothing.code, nothing.out]).toEqual([1, '']);
    expect(nothing.err).toContain('bad.yaml:1:10');
  }, 60_000);
});
