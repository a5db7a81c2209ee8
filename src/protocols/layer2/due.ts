/** Something that is to be looked at again, at a time of the caller's clock. */
export interface Due {
  readonly due: number;
}

/** Runs those whose time has come, until they gave `most` steps. An entry may put itself off or go while it runs. */
export function takeDue<E extends Due, S>(
  entries: ReadonlyMap<string, E>,
  { now, most }: { readonly now: number; readonly most: number },
  run: (name: string, entry: E) => readonly S[],
): readonly S[] {
  const steps: S[] = [];
  for (const [name, entry] of entries) {
    if (steps.length >= most) break;
    if (entry.due <= now) steps.push(...run(name, entry));
  }
  return steps;
}

/** When the first of them is due; undefined: there is none. */
export function nextDue(entries: ReadonlyMap<string, Due>): number | undefined {
  let next: number | undefined;
  for (const { due } of entries.values()) if (next === undefined || due < next) next = due;
  return next;
}
