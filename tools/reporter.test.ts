import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readCounts } from './reporter.ts';
import { run } from './run.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'herald-reporter-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** What is counted of a run of vitest over the text of one file. */
async function counted(text: string) {
  writeFileSync(join(dir, 'a.test.mjs'), text);
  const file = join(dir, 'counts.json');
  const reporter = `--reporter=${resolve('tools/reporter.ts')}`;
  await run('vitest', ['run', '--globals', `--root=${dir}`, reporter, `--outputFile=${file}`]);
  return readCounts(readFileSync(file, 'utf8'));
}

it('counts, and names each failed test and hook with the first lines of its reason', async () => {
  const counts = await counted(`
    it('one', () => {});
    it.runIf(false)('two', () => {});
    describe('numbers', () => {
      it('three', () => expect(1).toBe(2));
    });
    describe('servers', () => {
      beforeAll(() => { throw new Error('no server') });
      it('four', () => {});
    });
    describe('ends', () => {
      afterAll(() => { throw new Error('no end') });
      it('five', () => {});
    });`);
  expect(counts).toMatchObject({ passed: 2, failed: 3, skipped: 2 });
  expect(counts.failures.map((failure) => failure.split('\n').slice(0, 2))).toEqual([
    ['failed: a.test.mjs: servers', '  Error: no server'],
    ['failed: a.test.mjs: ends', '  Error: no end'],
    ['failed: a.test.mjs: numbers > three', '  AssertionError: expected 1 to be 2 // Object.is equality'],
  ]);
});

it.each([
  ['a file that cannot be loaded', "import './nowhere.mjs';", 'failed: a.test.mjs'],
  [
    'an error outside of any test',
    "it('one', () => { setTimeout(() => { throw new Error('late') }) });",
    'failed: an error outside of any test',
  ],
  ['a file without a test', '', 'failed: a.test.mjs'],
])('counts %s as a failure', async (_, text, first) => {
  const { failed, failures } = await counted(text);
  expect(failed).toBe(1);
  expect(failures[0]?.split('\n')[0]).toBe(first);
});

it('throws on a text that is no report', () => {
  expect(() => readCounts('{}')).toThrow();
});
