import { isError } from '../../domain/desired/source.ts';
import { type Comments, printYaml } from '../../platform/files/print.ts';
import { type CheckOptions, checkOverlay } from './check.ts';
import { type LoadOptions, load } from './load/load.ts';
import { type Native, type NativeOptions, remarkOf, toNative } from './native.ts';
import { problemLines, type Validated } from './validate.ts';

export interface Imported extends Pick<Validated, 'problems' | 'unreadable'> {
  /** Absent where there are errors: half of a configuration would take away the other half. */
  readonly native?: Native;
  readonly read: readonly string[];
}

/** Reads any dialect and gives Herald's own values, which render the same objects. */
export async function importValues(
  paths: readonly string[],
  o: LoadOptions & CheckOptions & NativeOptions = {},
): Promise<Imported> {
  const { overlays, read, unreadable } = await load(paths, o);
  const checked = overlays.map((overlay) => checkOverlay(overlay, o));
  const native = toNative(checked, o);
  // Labels that the cluster would look for do not matter here.
  const found = checked.flatMap((c) => c.problems).filter((p) => p.code !== 'NotASource');
  const told = [...found, ...native.problems];
  // Overlays that are clusters of their own may contradict each other.
  const whole = told.some(isError) || checked.length < 2 ? [] : together(native, o);
  const problems = [...told, ...whole];
  const good = unreadable.length === 0 && !problems.some(isError);
  return { read, problems, unreadable, ...(good && { native }) };
}

function together({ values }: Native, o: CheckOptions) {
  const source = { name: 'values', title: 'the values together', secret: false, values };
  const overlay = { title: source.title, namespace: undefined, problems: [] };
  return checkOverlay({ ...overlay, sources: [{ form: 'values', source }] }, o).problems.filter(isError);
}

/** The values file; "" where there is none. */
export function asYaml({ native, read, problems }: Imported): string {
  if (!native) return '';
  const beside = new Set([...native.comments.values()].flat());
  const head = problems
    .filter((p) => p.code !== 'Skipped' && !beside.has(remarkOf(p)))
    .flatMap((p) => problemLines({ problems: [p], unreadable: [] }));
  const comments: Comments = {
    head: ["Herald's values, from:", ...read.map((file) => `  ${file}`), ...head],
    at: native.comments,
  };
  return printYaml(native.values, comments);
}

/** For standard error. */
export function problemText(imported: Imported): string {
  return problemLines(imported)
    .map((line) => `${line}\n`)
    .join('');
}

export function asJson({ native, ...rest }: Imported): string {
  return JSON.stringify(
    {
      values: native?.values ?? null,
      from: Object.fromEntries(native?.from ?? []),
      ...rest,
      problems: rest.problems.map((p) => ({ severity: 'error', ...p })),
    },
    undefined,
    2,
  );
}
