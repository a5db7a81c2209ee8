/** `make bench`: every file of figures after the other, or those named: `make bench ARGS=controller`. */
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { run } from '../../tools/run.ts';

const wanted = process.argv.slice(2);
const names = globSync('test/bench/*.ts')
  .map((file) => basename(file, '.ts'))
  .filter((name) => name !== 'all' && (wanted.length === 0 || wanted.includes(name)))
  .sort();
for (const name of names) {
  console.log(`\n== ${name}`);
  const done = await run('node', [`test/bench/${name}.ts`], { echo: true });
  if (done.code !== 0) process.exitCode = 1;
}
