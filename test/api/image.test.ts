import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment, koffi, programs } from '../../tools/image/parts.ts';
import { run } from '../../tools/run.ts';

let root = '';
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'herald-parts-'));
  for (const { path, data } of [...(await programs()), ...koffi(process.arch)]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), data ?? '');
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each(['controller', 'reconciler', 'speaker', 'herald'])(
  '%s runs with nothing but what the image has',
  async (name) => {
    const program = join(root, `app/${name}.js`);
    const done = await run(process.execPath, [program, '--help'], { env: environment });
    expect(done.output).toContain('Usage: herald');
    expect(done.code).toBe(0);
  },
);
