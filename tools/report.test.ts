import { expect, it } from 'vitest';
import { readReport } from './report.ts';

const report = (
  numbers: [passed: number, failed: number, pending: number],
  success: boolean,
  files: object[],
) =>
  JSON.stringify({
    numPassedTests: numbers[0],
    numFailedTests: numbers[1],
    numPendingTests: numbers[2],
    success,
    testResults: files,
  });

it('counts, and names each failed test with the first lines of its reason', () => {
  const file = {
    name: '/repo/test/lab/moves.test.ts',
    assertionResults: [
      { fullName: 'moves one', status: 'passed', failureMessages: [] },
      { fullName: 'moves two', status: 'failed', failureMessages: ['expected 1\n  to be 2\n  at a\n  at b'] },
    ],
  };
  expect(readReport(report([1, 1, 2], false, [file]), '/repo')).toEqual({
    passed: 1,
    failed: 1,
    skipped: 2,
    failures: ['failed: test/lab/moves.test.ts: moves two\n  expected 1\n    to be 2\n    at a'],
  });
});

it('counts a file that could not be loaded as a failure', () => {
  const file = { name: '/repo/a.test.ts', message: 'Cannot find module', assertionResults: [] };
  expect(readReport(report([4, 0, 0], false, [file]), '/repo')).toMatchObject({
    failed: 1,
    failures: ['failed: a.test.ts\n  Cannot find module'],
  });
});

it('counts a run without a test as a failure', () => {
  expect(readReport(report([0, 0, 0], true, []))).toMatchObject({ passed: 0, failed: 1 });
});

it('throws on a text that is no report', () => {
  expect(() => readReport('{}')).toThrow();
});
