/** `make test`: the checks, then each suite against its real servers; ends with the plain line of the totals. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { available } from '../test/servers/index.ts';
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

/** Adds the counts of a vitest JSON report; a report that is missing is one failure, as is a suite without a test. */
function count(suite: string, file: string): string {
  if (!existsSync(file)) {
    totals.failed++;
    return 'no report';
  }
  const report: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const number = (key: string): number => {
    const value = typeof report === 'object' && report !== null ? Reflect.get(report, key) : undefined;
    return typeof value === 'number' ? value : 0;
  };
  const [passed, failed, pending] = [
    number('numPassedTests'),
    number('numFailedTests'),
    number('numPendingTests'),
  ];
  const broken = failed === 0 && Reflect.get(Object(report), 'success') !== true ? 1 : 0;
  totals.passed += passed;
  totals.failed += failed + broken + (passed + failed + pending === 0 ? 1 : 0);
  if (pending > 0) skipped.push(`${suite}: ${pending} of ${passed + failed + pending} tests`);
  return `${passed} passed, ${failed + broken} failed${pending > 0 ? `, ${pending} skipped` : ''}`;
}

mkdirSync('.cache', { recursive: true });
const check = await run('node', ['tools/check.ts'], { echo: true });
console.log(`check: ${count('unit', '.cache/unit.json')} in ${seconds(check.ms)}`);
if (check.code !== 0) totals.failed++;

for (const [suite, level] of SUITES) {
  const can = available(level);
  if (can !== true) {
    skipped.push(`${suite}: ${can}`);
    continue;
  }
  const file = `.cache/${suite}.json`;
  const done = await run(
    'vitest',
    ['run', '--project', suite, '--reporter=default', '--reporter=json', `--outputFile=${file}`],
    { echo: true },
  );
  console.log(`${suite}: ${count(suite, file)} in ${seconds(done.ms)}`);
}

console.log(skipped.length === 0 ? 'skipped: nothing' : `skipped: ${skipped.join('; ')}`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 ? 1 : 0;
