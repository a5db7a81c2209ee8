import { relative } from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';

/** What is read of vitest's JSON report. */
const Report = Type.Object({
  numPassedTests: Type.Integer(),
  numFailedTests: Type.Integer(),
  numPendingTests: Type.Integer(),
  success: Type.Boolean(),
  testResults: Type.Array(
    Type.Object({
      name: Type.String(),
      message: Type.Optional(Type.String()),
      assertionResults: Type.Array(
        Type.Object({
          fullName: Type.String(),
          status: Type.String(),
          failureMessages: Type.Optional(Type.Array(Type.String())),
        }),
      ),
    }),
  ),
});

/** Counts of a run of a suite, and a text for each failure: the test, and the first lines of its reason. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
}

const told = (what: string, why = '') => `failed: ${what}\n  ${why.split('\n').slice(0, 3).join('\n  ')}`;

/**
 * Reads vitest's JSON report. A run without success whose tests all passed counts one failure (a file that could not be
 * loaded, an error outside of any test), as does a run without a test. Throws on a text that is no report.
 */
export function readReport(text: string, root = '.'): Counts {
  const report = Value.Parse(Report, JSON.parse(text));
  const failures = report.testResults.flatMap((file) => {
    const name = relative(root, file.name);
    const tests = file.assertionResults.filter(({ status }) => status === 'failed');
    return [
      ...(file.message ? [told(name, file.message)] : []),
      ...tests.map((test) => told(`${name}: ${test.fullName}`, test.failureMessages?.[0])),
    ];
  });
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report;
  const broken = (failed === 0 && !report.success) || passed + failed + skipped === 0;
  return { passed, failed: failed + (broken ? 1 : 0), skipped, failures };
}
