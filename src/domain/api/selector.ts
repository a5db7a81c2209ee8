import type { LabelSelector } from './schema.ts';

export type { LabelRequirement, LabelSelector } from './schema.ts';

type Operator = '=' | 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** A checked selector: requirements that must all hold. None of them: everything matches. */
export interface Selector {
  readonly requirements: readonly Requirement[];
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const OPERATORS: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** The checks of apimachinery's LabelSelectorAsSelector, in its order: labels first, then expressions. */
export function parseSelector(raw: LabelSelector): Selector | { readonly error: string } {
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(raw.matchLabels ?? {}))
    requirements.push({ key, operator: '=', values: [value] });
  for (const { key, operator, values = [] } of raw.matchExpressions ?? []) {
    if (!isOperator(operator))
      return { error: `"${operator}" is not a label selector operator (In, NotIn, Exists, DoesNotExist)` };
    requirements.push({ key, operator, values });
  }
  for (const requirement of requirements) {
    const error = requirementError(requirement);
    if (error !== undefined) return { error };
  }
  return { requirements: requirements.sort((a, b) => compareText(a.key, b.key)) };
}

function isOperator(text: string): text is Operator {
  return OPERATORS.has(text);
}

function requirementError({ key, operator, values }: Requirement): string | undefined {
  if (!isLabelKey(key)) return `"${key}" is not a valid label key`;
  const needsValues = operator === 'In' || operator === 'NotIn';
  if (needsValues && values.length === 0) return `operator ${operator} on "${key}" needs values`;
  if (!needsValues && operator !== '=' && values.length > 0)
    return `operator ${operator} on "${key}" takes no values`;
  const bad = values.find((value) => !isLabelValue(value));
  return bad === undefined ? undefined : `"${bad}" is not a valid value of label "${key}"`;
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  const prefix = key.slice(0, Math.max(slash, 0));
  const name = key.slice(slash + 1);
  const prefixFine = slash < 0 || (prefix.length <= 253 && DNS_SUBDOMAIN.test(prefix));
  return prefixFine && name.length <= 63 && NAME.test(name);
}

function isLabelValue(value: string): boolean {
  return value === '' || (value.length <= 63 && NAME.test(value));
}

export function selectorMatches(s: Selector, labels: Readonly<Record<string, string>>): boolean {
  return s.requirements.every((requirement) => {
    const { key } = requirement;
    return holds(requirement, Object.hasOwn(labels, key) ? labels[key] : undefined);
  });
}

/** An absent label satisfies NotIn, as in Kubernetes. */
function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case '=':
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Text equal to apimachinery's labels.Selector.String(), e.g. `app=web,tier in (a,b),!legacy`; sorted by key. */
export function selectorText(s: Selector): string {
  return s.requirements.map(requirementText).join(',');
}

function requirementText({ key, operator, values }: Requirement): string {
  const sorted = [...values].sort(compareText).join(',');
  switch (operator) {
    case '=':
      return `${key}=${sorted}`;
    case 'In':
      return `${key} in (${sorted})`;
    case 'NotIn':
      return `${key} notin (${sorted})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}

/** Byte order of the UTF-8 text for the ASCII that labels are made of. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
