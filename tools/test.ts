/** `make test`: the checks, then each suite against its real servers; ends with the plain line of the totals. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { available } from '../test/servers/index.ts';
import { readCounts } from './reporter.ts';
import { run, seconds } from './run.ts';

/** The suites beside `check`, and the level of reality each needs. */
const SUITES = [
  ['api', 'api'],
  ['gitops', 'flux'],
  ['interop', 'upstream'],
  ['lab', 'netns'],
  ['e2e', 'cluster'],
] as const;

const totals = { passed: 0, failed: 0 };
const skipped: string[] = [];
/** Said again at the end: of a long output often only the last lines are kept. */
const failures: string[] = [];

/** Adds the counts of a suite's report; a report that is missing is one failure. */
function count(suite: string, file: string): string {
  if (!existsSync(file)) {
    totals.failed++;
    failures.push(`failed: ${suite}: no report`);
    return 'no report';
  }
  const counts = readCounts(readFileSync(file, 'utf8'));
  const all = counts.passed + counts.failed + counts.skipped;
  totals.passed += counts.passed;
  totals.failed += counts.failed;
  failures.push(...counts.failures);
  if (counts.skipped > 0) skipped.push(`${suite}: ${counts.skipped} of ${all} tests`);
  const also = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  return `${counts.passed} passed, ${counts.failed} failed${also}`;
}

mkdirSync('.cache', { recursive: true });
const check = await run('node', ['tools/check.ts'], { echo: true });
console.log(`check: ${count('unit', '.cache/unit.json')} in ${seconds(check.ms)}`);
if (check.code !== 0) {
  totals.failed++;
  failures.push('failed: check (above)');
}

for (const [suite, level] of SUITES) {
  const can = available(level);
  if (can !== true) {
    skipped.push(`${suite}: ${can}`);
    continue;
  }
  const file = `.cache/${suite}.json`;
  const done = await run(
    'vitest',
    [
      'run',
      '--project',
      suite,
      '--reporter=default',
      '--reporter=./tools/reporter.ts',
      `--outputFile=${file}`,
    ],
    { echo: true },
  );
  console.log(`${suite}: ${count(suite, file)} in ${seconds(done.ms)}`);
}

for (const failure of failures) console.log(failure);
console.log(skipped.length === 0 ? 'skipped: nothing' : `skipped: ${skipped.join('; ')}`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 ? 1 : 0;
