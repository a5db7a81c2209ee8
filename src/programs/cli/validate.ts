import { type Problem, problemText } from '../../domain/api/problem.ts';
import { load } from '../../domain/config/load.ts';
import { build } from '../../domain/desired/build.ts';
import { type Check, settle } from '../../domain/desired/settle.ts';
import { isError, type Source } from '../../domain/desired/source.ts';
import { typedSet } from '../../domain/desired/typed.ts';
import { readText, textProblem } from '../../platform/files/files.ts';
import { readInput } from './inputs.ts';

/** 0: nothing wrong, warnings apart. 1: problems. 2: a file cannot be read, whatever else there is. */
export type ExitCode = 0 | 1 | 2;

export interface Validated {
  readonly files: readonly { readonly file: string; readonly objects: number }[];
  readonly problems: readonly Problem[];
  /** Files that cannot be read, and why. */
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
}

/** Checks files as the reconciler would, each source by itself: how they meet in a cluster is not known here. */
export async function validate(files: readonly string[]): Promise<Validated> {
  const checked: { file: string; objects: number }[] = [];
  const problems: Problem[] = [];
  const unreadable: { file: string; reason: string }[] = [];
  for (const file of files) {
    const text = await textOf(file);
    if (typeof text !== 'string') {
      unreadable.push({ file, reason: text.reason });
      continue;
    }
    const input = readInput(file, text);
    const judged = input.sources.map(judge);
    checked.push({ file, objects: judged.reduce((n, j) => n + j.objects, 0) });
    problems.push(...input.problems, ...judged.flatMap((j) => j.problems));
  }
  return { files: checked, problems, unreadable };
}

async function textOf(file: string): Promise<string | { readonly reason: string }> {
  try {
    return await readText(file);
  } catch (e) {
    if (textProblem(e, file) || (e instanceof Error && 'code' in e))
      return { reason: e instanceof Error ? e.message : '' };
    throw e;
  }
}

/** What controller and speakers would refuse. */
const check: Check = (views) => {
  const loaded = load({ ...typedSet(views), namespaces: [] });
  return 'problems' in loaded ? loaded.problems.map((p) => ({ ...p, plain: p.message })) : [];
};

function judge(source: Source): { readonly objects: number; readonly problems: readonly Problem[] } {
  const target = { instance: 'herald', namespace: 'metallb-system' };
  const { verdicts, desired } = settle({
    instance: target.instance,
    built: [build(source, target)],
    live: [],
    check,
  });
  return { objects: desired.length, problems: verdicts.flatMap((v) => v.problems) };
}

export function exitCodeOf({ problems, unreadable }: Validated): ExitCode {
  if (unreadable.length > 0) return 2;
  return problems.some(isError) ? 1 : 0;
}

/** One line for each problem, like a compiler's; the last line counts. */
export function asText({ files, problems, unreadable }: Validated): string {
  const lines = [
    ...unreadable.map(({ file, reason }) => `${file}: cannot be read: ${reason}`),
    ...problems.map((p) => `${p.severity ?? 'error'}: ${problemText(p)}`),
  ];
  const errors = problems.filter(isError).length;
  const count = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`;
  lines.push(
    `${count(files.length, 'file')}, ${count(
      files.reduce((n, f) => n + f.objects, 0),
      'object',
    )}, ` + `${count(errors, 'error')}, ${count(problems.length - errors, 'warning')}`,
  );
  return lines.join('\n');
}

export function asJson(result: Validated): string {
  return JSON.stringify(
    { ...result, problems: result.problems.map((p) => ({ severity: 'error', ...p })) },
    undefined,
    2,
  );
}
