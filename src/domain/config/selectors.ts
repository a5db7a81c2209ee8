import { type LabelSelector, parseSelector, type Selector } from '../api/selector.ts';
import type { Complaint } from './errors.ts';

/** Reads a list of selectors that are OR-ed; complains about each that is invalid or doubled. */
export function readSelectors(
  list: readonly LabelSelector[] | undefined,
  path: string,
  complain: Complaint,
): readonly Selector[] {
  const seen = new Set<string>();
  const selectors: Selector[] = [];
  for (const [index, raw] of (list ?? []).entries()) {
    const at = `${path}[${index}]`;
    complainOfDoubles(raw, at, complain);
    const text = canonical(raw);
    if (seen.has(text)) complain('SelectorDuplicate', at, `${text} stands here twice`);
    seen.add(text);
    const selector = parseSelector(raw);
    if ('error' in selector) complain('SelectorInvalid', at, selector.error);
    else selectors.push(selector);
  }
  return selectors;
}

function complainOfDoubles(raw: LabelSelector, path: string, complain: Complaint): void {
  const seen = new Set<string>();
  for (const [index, expression] of (raw.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const values = expression.values ?? [];
    const double = values.find((value, i) => values.indexOf(value) < i);
    if (double !== undefined) complain('SelectorDuplicate', `${at}.values`, `"${double}" stands here twice`);
    const text = JSON.stringify([expression.key, expression.operator, values.toSorted()]);
    if (seen.has(text)) complain('SelectorDuplicate', at, `${text} stands here twice`);
    seen.add(text);
  }
}

/** Equal for selectors that differ only in the order of labels and values; that of expressions counts, as upstream has it. */
function canonical(raw: LabelSelector): string {
  const labels = Object.entries(raw.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (raw.matchExpressions ?? []).map((e) =>
    [e.key, e.operator, ...(e.values ?? []).toSorted()].join(' '),
  );
  return `{${[...labels.sort(), ...expressions].join(', ')}}`;
}

/** Complains about names that are listed twice. */
export function complainOfDoubleNames(
  names: readonly string[] | undefined,
  path: string,
  complain: Complaint,
): void {
  const seen = new Set<string>();
  for (const [index, name] of (names ?? []).entries()) {
    if (seen.has(name)) complain('NameDuplicate', `${path}[${index}]`, `"${name}" stands here twice`);
    seen.add(name);
  }
}
