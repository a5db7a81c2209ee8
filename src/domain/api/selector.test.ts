import { describe, expect, test } from 'vitest';
import {
  type LabelSelector,
  parseSelector,
  type Selector,
  selectorMatches,
  selectorText,
} from './selector.ts';

function selector(raw: LabelSelector): Selector {
  const parsed = parseSelector(raw);
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed;
}
const expression = (key: string, operator: string, ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
});

describe('a label selector', () => {
  const labels = { app: 'web', tier: 'front', empty: '' };
  test.each<[LabelSelector, boolean]>([
    [{}, true],
    [{ matchLabels: { app: 'web' } }, true],
    [{ matchLabels: { app: 'db' } }, false],
    [{ matchLabels: { empty: '' } }, true],
    [{ matchLabels: { absent: '' } }, false],
    [{ matchLabels: { app: 'web', tier: 'back' } }, false],
    [expression('tier', 'In', 'front', 'back'), true],
    [expression('tier', 'In', 'back'), false],
    [expression('absent', 'In', 'a'), false],
    [expression('tier', 'NotIn', 'back'), true],
    [expression('tier', 'NotIn', 'front'), false],
    [expression('absent', 'NotIn', 'a'), true],
    [expression('app', 'Exists'), true],
    [expression('absent', 'Exists'), false],
    [expression('app', 'DoesNotExist'), false],
    [expression('absent', 'DoesNotExist'), true],
    [expression('constructor', 'Exists'), false],
    [{ matchLabels: { app: 'web' }, ...expression('tier', 'NotIn', 'front') }, false],
  ])('%j matches the labels: %s', (raw, matches) => {
    expect(selectorMatches(selector(raw), labels)).toBe(matches);
  });

  // Text as labels.Selector.String() of apimachinery prints it.
  test.each<[LabelSelector, string]>([
    [{}, ''],
    [{ matchLabels: { tier: 'front', app: 'web' } }, 'app=web,tier=front'],
    [expression('tier', 'In', 'b', 'a'), 'tier in (a,b)'],
    [expression('tier', 'NotIn', 'b'), 'tier notin (b)'],
    [expression('app', 'Exists'), 'app'],
    [expression('app', 'DoesNotExist'), '!app'],
    [{ matchLabels: { 'example.com/z': '1' }, ...expression('app', 'Exists') }, 'app,example.com/z=1'],
  ])('%j prints as %s', (raw, text) => {
    expect(selectorText(selector(raw))).toBe(text);
  });

  test.each<[LabelSelector, RegExp]>([
    [expression('a', 'in', 'b'), /"in" is not a label selector operator/],
    [expression('a', 'In'), /operator In on "a" needs values/],
    [expression('a', 'Exists', 'b'), /operator Exists on "a" takes no values/],
    [expression('', 'Exists'), /"" is not a valid label key/],
    [expression('a b', 'Exists'), /"a b" is not a valid label key/],
    [expression('/a', 'Exists'), /not a valid label key/],
    [expression('A.com/a', 'Exists'), /not a valid label key/],
    [expression(`${'a'.repeat(64)}`, 'Exists'), /not a valid label key/],
    [{ matchLabels: { a: 'b c' } }, /"b c" is not a valid value of label "a"/],
    [expression('a', 'In', `${'b'.repeat(64)}`), /not a valid value/],
  ])('%j is refused', (raw, why) => {
    const parsed = parseSelector(raw);
    expect('error' in parsed && parsed.error).toMatch(why);
  });
});
