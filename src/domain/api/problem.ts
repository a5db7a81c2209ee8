/**
 * A user's mistake, collected and not thrown.
 * code: stable UpperCamel word, e.g. 'PoolOverlap'. object: "IPAddressPool web". path: "pools.web.addresses[1]".
 * source: where the text came from, e.g. "Secret metallb-system/herald-values"; line and column count from 1.
 * severity: `error` (the default) stops the source, `warning` and `notice` do not.
 */
export interface Problem {
  readonly code: string;
  readonly severity?: 'error' | 'warning' | 'notice';
  readonly object?: string;
  readonly path: string;
  readonly source?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

/** One line: `source:line:column path: message (hint)`, without the parts that are unknown. */
export function problemText(p: Problem): string {
  const place = [p.source, p.line, p.line === undefined ? undefined : p.column]
    .filter((part) => part !== undefined)
    .join(':');
  const subject = [place, p.object, p.path].filter((part) => part !== undefined && part !== '').join(' ');
  const hint = p.hint === undefined ? '' : ` (${p.hint})`;
  return `${subject === '' ? '' : `${subject}: `}${p.message}${hint}`.replace(/\s*\n\s*/g, ' ');
}
