import { expect, test } from 'vitest';
import { measure } from './sizes.ts';

const lines = (n: number) => 'const x = 1;\n'.repeat(n);

test('a file within the wish is silent, over the wish is told, over the end fails', () => {
  expect(measure('a.ts', lines(200))).toEqual([]);
  expect(measure('a.ts', lines(400))).toMatchObject([{ what: 'file', hard: false }]);
  expect(measure('a.ts', lines(501))).toMatchObject([{ what: 'file', hard: true }]);
});

test('a long function is measured with its place, but not in a test file', () => {
  const text = `\nfunction f() {\n${lines(85)}}\n`;
  expect(measure('a.ts', text)).toMatchObject([{ at: 'a.ts:2', what: 'function', size: 87, hard: true }]);
  expect(measure('a.test.ts', text)).toEqual([]);
});

test('a fourth positional parameter fails', () => {
  expect(measure('a.ts', 'const f = (a: 1, b: 2, c: 3, d: 4) => { return [a, b, c, d]; };')).toMatchObject([
    { what: 'parameters', size: 4, hard: true },
  ]);
});
