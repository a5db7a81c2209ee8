/** Tables of figures, a row as soon as it is known. */

/** A table's printer: the first column as wide as `title`, the others twelve. */
export const table =
  (title: number) =>
  (...cells: readonly string[]): void =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(title) : cell.padStart(12))).join(''));

export const ms = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(0)} ms` : 'never');

/** The value that a share `q` of all do not exceed. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
