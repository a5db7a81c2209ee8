import { parseArgs } from 'node:util';
import { CRD_FOLDERS, crdFiles } from './crds.ts';
import { type Files, generate, stale } from './files.ts';
import { referenceFiles } from './reference.ts';
import { valuesSchemaFiles } from './values-schema.ts';

/** Everything that is generated, and the folders that hold nothing else. */
export function allFiles(): Files {
  return new Map([...crdFiles(), ...valuesSchemaFiles(), ...referenceFiles()]);
}
export const OWNED = [...CRD_FOLDERS, 'docs/reference'];

/** Without arguments: writes. With --check: exits 1 and names the files that are not as they would be written. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  if (!values.check) {
    for (const line of await generate(allFiles(), OWNED)) console.log(line);
    return;
  }
  const paths = await stale(allFiles(), OWNED);
  for (const path of paths) console.error(`${path}: stale; run make gen`);
  if (paths.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
