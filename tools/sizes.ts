import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';

/** The sizes a room is kept to: [wished, hard end]. Over the wish is printed, over the end fails. */
export const LIMITS = { file: [300, 500], function: [40, 80], parameters: [3, 3] } as const;

/** One thing that is larger than wished. */
export interface Oversize {
  readonly at: string;
  readonly what: 'file' | 'function' | 'parameters';
  readonly size: number;
  readonly hard: boolean;
}

const oversize = (at: string, what: Oversize['what'], size: number): Oversize[] =>
  size > LIMITS[what][0] ? [{ at, what, size, hard: size > LIMITS[what][1] }] : [];

/** Measures one source text. Functions in tests are not measured: a `describe` block is a table of contents. */
export function measure(path: string, text: string): Oversize[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (pos: number) => source.getLineAndCharacterOfPosition(pos).line + 1;
  const found = oversize(path, 'file', lineOf(source.end));
  if (/\.(test|rig)\.ts$/.test(path)) return found;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const at = `${path}:${lineOf(node.getStart())}`;
      found.push(...oversize(at, 'function', lineOf(node.end) - lineOf(node.getStart()) + 1));
      found.push(...oversize(at, 'parameters', node.parameters.length));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Measures every TypeScript file of the repository below the current directory. */
export function measureAll(): Oversize[] {
  return globSync('{src,test,tools}/**/*.ts').flatMap((path) => measure(path, readFileSync(path, 'utf8')));
}

if (import.meta.main) {
  const all = measureAll();
  for (const o of all.filter((x) => x.hard || x.what === 'file'))
    console.log(`${o.hard ? 'OVER' : 'long'} ${o.what} ${o.size} (${LIMITS[o.what].join('/')}) ${o.at}`);
  const long = all.filter((o) => !o.hard && o.what === 'function').length;
  if (long > 0) console.log(`${long} functions between ${LIMITS.function.join(' and ')} lines`);
  process.exitCode = all.some((o) => o.hard) ? 1 : 0;
}
