import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { environment, programs } from '../../tools/image/parts.ts';

/** The programs as the image has them: for figures of what users run. */
export interface Bundle {
  /** Path of a program by its name, such as "controller". */
  readonly program: (name: string) => string;
  /** What the image sets beside the program. */
  readonly env: Readonly<Record<string, string>>;
}

/** Writes them into an empty directory. */
export async function writeBundle(dir: string): Promise<Bundle> {
  for (const { path, data } of await programs()) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), data ?? '');
  }
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(dir, 'app/node_modules'));
  return { program: (name) => join(dir, `app/${name}.js`), env: environment };
}
