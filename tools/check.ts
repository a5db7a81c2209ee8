/** `make check`: every cheap proof at once, one line each; the output of what failed follows. */
import { availableParallelism } from 'node:os';
import { run, seconds } from './run.ts';

const CHECKS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '-p', '.'],
  [
    'unit tests',
    'vitest',
    'run',
    '--project',
    'unit',
    '--reporter=dot',
    '--reporter=./tools/reporter.ts',
    '--outputFile=.cache/unit.json',
  ],
  ['lint', 'oxlint', '--type-aware', 'src', 'test', 'tools'],
  ['format', 'biome', 'check', '--error-on-warnings', '.'],
  ['imports', 'depcruise', '--config', '.dependency-cruiser.cjs', 'src'],
  ['sizes', 'node', 'tools/sizes.ts'],
  ['generated', 'node', 'tools/gen/all.ts', '--check'],
];

let failed = 0;
const waiting = [...CHECKS];
/** Takes checks until none is left; as many run at once as there are cores. */
async function worker(): Promise<void> {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    const [name, command, ...args] = check;
    const done = await run(command, args);
    if (done.code !== 0) failed++;
    console.log(`${done.code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(12)} ${seconds(done.ms)}`);
    if (done.code !== 0 || name === 'sizes') process.stdout.write(done.output.replace(/^(?=.)/gm, '     '));
  }
}
const start = performance.now();
await Promise.all(Array.from({ length: availableParallelism() }, worker));
console.log(
  `${CHECKS.length - failed} of ${CHECKS.length} checks passed in ${seconds(performance.now() - start)}`,
);
process.exitCode = failed > 0 ? 1 : 0;
