import { type Problem, problemText } from '../../domain/api/problem.ts';
import { isError } from '../../domain/desired/source.ts';
import { type CheckOptions, checkOverlay, idsOf } from './check.ts';
import { type LoadOptions, load } from './load/load.ts';

/** 0: nothing wrong, warnings apart. 1: problems. 2: something cannot be read or built, whatever else there is. */
export type ExitCode = 0 | 1 | 2;

export interface Validated {
  readonly overlays: readonly {
    readonly title: string;
    /** Herald's namespace there. */
    readonly namespace: string;
    readonly sources: readonly {
      readonly name: string;
      /** Absent where it cannot be told. */
      readonly dialect?: string;
      /** "IPAddressPool web". */
      readonly objects: readonly string[];
    }[];
  }[];
  /** Files that were read, and folders that were built. */
  readonly read: readonly string[];
  readonly problems: readonly Problem[];
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
}

/** Checks files, folders and overlays as Flux and the reconciler would take them. */
export async function validate(
  paths: readonly string[],
  o: LoadOptions & CheckOptions = {},
): Promise<Validated> {
  const { overlays, read, unreadable } = await load(paths, o);
  const checked = overlays.map((overlay) => checkOverlay(overlay, o));
  return {
    overlays: checked.map(({ overlay, target, sources }) => ({
      title: overlay.title,
      namespace: target.namespace,
      sources: sources.map((judged) => ({
        name: judged.source.name,
        ...(judged.built.dialect !== undefined && { dialect: judged.built.dialect }),
        objects: idsOf(judged),
      })),
    })),
    read,
    problems: checked.flatMap((c) => c.problems),
    unreadable,
  };
}

export function exitCodeOf({ problems, unreadable }: Pick<Validated, 'problems' | 'unreadable'>): ExitCode {
  if (unreadable.length > 0) return 2;
  return problems.some(isError) ? 1 : 0;
}

/** One line for each problem, like a compiler's. */
export function problemLines({ problems, unreadable }: Pick<Validated, 'problems' | 'unreadable'>): string[] {
  return [
    ...unreadable.map(({ file, reason }) => `${file}: cannot be read: ${reason}`),
    ...problems.map((p) => `${p.severity ?? 'error'}: ${problemText(p)}`),
  ];
}

/** The problems; the last line counts. */
export function asText(result: Validated): string {
  const { overlays, read, problems } = result;
  const sources = overlays.flatMap((o) => o.sources);
  const counts = [
    count(read.length, 'file'),
    count(sources.length, 'source'),
    count(sources.flatMap((s) => s.objects).length, 'object'),
    count(problems.filter(isError).length, 'error'),
    count(problems.filter((p) => p.severity === 'warning').length, 'warning'),
  ];
  return [...problemLines(result), counts.join(', ')].join('\n');
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

export function asJson(result: Validated): string {
  return JSON.stringify(
    { ...result, problems: result.problems.map((p) => ({ severity: 'error', ...p })) },
    undefined,
    2,
  );
}
