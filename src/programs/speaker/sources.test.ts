import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../domain/api/object.ts';
import { follow } from './sources.ts';

interface Thing extends KubeObject {
  readonly of: string | undefined;
}
const thing = (of?: string): Thing => ({
  metadata: { name: 'a', uid: 'a', resourceVersion: '1', generation: 0, labels: {}, annotations: {} },
  of,
});

describe('following objects that belong to others', () => {
  it.each([
    ['that appears', undefined, thing('x'), ['x']],
    ['that changes sides', thing('x'), thing('y'), ['x', 'y']],
    ['that stays where it is', thing('x'), thing('x'), ['x']],
    ['that goes', thing('x'), undefined, ['x']],
    ['that belongs to nobody any more', thing('x'), thing(), ['x']],
    ['that never belonged to anybody', thing(), thing(), []],
  ])('tells of one %s', (_, before, now, told) => {
    let change = (_key: string, _before: Thing | undefined): void => {};
    const subjects: string[] = [];
    follow(
      {
        store: { get: () => now },
        onChange: (f: typeof change) => {
          change = f;
          return () => {};
        },
      },
      ({ of }) => of,
      (subject) => subjects.push(subject),
    );
    change('a', before);
    expect(subjects).toEqual(told);
  });
});
