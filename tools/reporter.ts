import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';
import type { Reporter, TestModule, TestSuite, Vitest } from 'vitest/node';

const Counts = Type.Object({
  passed: Type.Integer(),
  failed: Type.Integer(),
  skipped: Type.Integer(),
  failures: Type.Array(Type.String()),
});

/** Counts of a run of a suite, and a text for each failure: the test, and the first lines of its reason. */
export type Counts = Type.Static<typeof Counts>;

/** Reads what `CountsReporter` wrote. Throws on any other text. */
export const readCounts = (text: string): Counts => Value.Parse(Counts, JSON.parse(text));

interface Reason {
  readonly message: string;
  readonly stack?: string;
}

const told = (what: string, { stack, message }: Reason) =>
  `failed: ${what}\n  ${(stack ?? message).split('\n').slice(0, 3).join('\n  ')}`;

/** What failed outside of tests (a file that could not be loaded, a hook), as vitest's JSON report does not tell. */
function outside(module: TestModule, name: string): string[] {
  const of = (suite: TestModule | TestSuite, what: string) => suite.errors().map((e) => told(what, e));
  const suites = [...module.children.allSuites()];
  return [...of(module, name), ...suites.flatMap((suite) => of(suite, `${name}: ${suite.fullName}`))];
}

/**
 * Writes the counts of a run as JSON to vitest's `--outputFile`. A failure of a file or of a hook, an error that no test
 * awaited, and a run without a test count as one failure each, beside the tests that failed.
 */
export default class CountsReporter implements Reporter {
  #file = '';
  #root = '';

  onInit({ config }: Vitest): void {
    if (typeof config.outputFile !== 'string') throw new Error('counts need a file: --outputFile=FILE');
    this.#file = config.outputFile;
    this.#root = config.root;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Reason[]): void {
    const failures: string[] = [];
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      const name = relative(this.#root, module.moduleId);
      failures.push(...outside(module, name));
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result();
        counts[state]++;
        if (state === 'failed')
          failures.push(told(`${name}: ${test.fullName}`, errors[0] ?? { message: 'without a reason' }));
      }
    }
    failures.push(...unhandled.map((e) => told('an error outside of any test', e)));
    const { passed, skipped, pending } = counts;
    if (pending > 0) failures.push(`failed: ${pending} tests that did not end`);
    if (passed + skipped + failures.length === 0) failures.push('failed: no test was run');
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify({ passed, skipped, failed: failures.length, failures }));
  }
}
