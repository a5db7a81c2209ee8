import { describe, expect, test } from 'vitest';
import * as annotations from './annotations.ts';
import { type Condition, findCondition, kubeTime, withCondition } from './conditions.ts';
import { keyOf } from './object.ts';
import { problemText } from './problem.ts';

describe('an annotation', () => {
  const { ADDRESS_POOL, FROM, readAnnotation } = annotations;
  test('is read under its present name first', () => {
    const both = { annotations: { [ADDRESS_POOL]: 'new', 'metallb.universe.tf/address-pool': 'old' } };
    expect(readAnnotation(both, ADDRESS_POOL)).toEqual({ value: 'new', deprecated: false });
  });

  test('is read under its old name too, which is told', () => {
    const old = { annotations: { 'metallb.universe.tf/address-pool': '' } };
    expect(readAnnotation(old, ADDRESS_POOL)).toEqual({ value: '', deprecated: true });
  });

  test('of our own has no old name', () => {
    const annotated = { annotations: { 'metallb.universe.tf/from': 'x' } };
    expect(readAnnotation(annotated, FROM)).toBeUndefined();
  });

  test('stands in the reference when it is one of ours', () => {
    const ours = Object.values(annotations).filter(
      (value) => typeof value === 'string' && /^(metallb|herald)\.io\//.test(value),
    );
    expect(annotations.DOCUMENTED.map(({ name }) => name).sort()).toEqual(ours.map(String).sort());
  });
});

describe('conditions', () => {
  const ready = { type: 'Ready', status: 'False', reason: 'A', message: 'm' } as const;
  const list: readonly Condition[] = [
    { type: 'Other', status: 'True', reason: 'X', message: '', lastTransitionTime: 't0' },
    { ...ready, lastTransitionTime: 't0' },
  ];

  test('keep their time while the status stays', () => {
    const next = withCondition(list, { ...ready, reason: 'B' }, 't1');
    expect(next).toEqual([list[0], { ...ready, reason: 'B', lastTransitionTime: 't0' }]);
  });

  test('take the time of a change of status', () => {
    const next = withCondition(list, { ...ready, status: 'True' }, 't1');
    expect(findCondition(next, 'Ready')).toEqual({ ...ready, status: 'True', lastTransitionTime: 't1' });
    expect(next).toHaveLength(2);
  });

  test('are added at the end', () => {
    expect(withCondition([], ready, 't1')).toEqual([{ ...ready, lastTransitionTime: 't1' }]);
  });

  test('carry times without fractions of a second', () => {
    expect(kubeTime(new Date('2026-01-02T03:04:05.678Z'))).toBe('2026-01-02T03:04:05Z');
  });
});

describe('a problem as one line', () => {
  const base = { code: 'X', path: 'pools.web.addresses[1]', message: 'is wrong' };
  test.each([
    [base, 'pools.web.addresses[1]: is wrong'],
    [{ ...base, path: '' }, 'is wrong'],
    [
      { ...base, source: 'a.yaml', line: 3, column: 7, hint: 'mend it' },
      'a.yaml:3:7 pools.web.addresses[1]: is wrong (mend it)',
    ],
    [{ ...base, source: 'a.yaml', column: 7 }, 'a.yaml pools.web.addresses[1]: is wrong'],
    [{ ...base, object: 'IPAddressPool web', path: 'spec' }, 'IPAddressPool web spec: is wrong'],
    [{ ...base, message: 'two\n  lines' }, 'pools.web.addresses[1]: two lines'],
  ])('%j', (problem, text) => {
    expect(problemText(problem)).toBe(text);
  });
});

test('a key has a namespace when the object has one', () => {
  expect(keyOf({ metadata: { name: 'a', namespace: 'n' } })).toBe('n/a');
  expect(keyOf({ metadata: { name: 'a' } })).toBe('a');
});
