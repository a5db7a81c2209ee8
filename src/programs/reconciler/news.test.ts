import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../domain/api/object.ts';
import { News } from './news.ts';

const object = (resourceVersion: string, labels: Record<string, string> = {}, uid = 'u'): KubeObject => ({
  metadata: { name: 'a', uid, resourceVersion, generation: 1, labels, annotations: {} },
});

describe('news of a store', () => {
  const rows: readonly (readonly [string, KubeObject | undefined, KubeObject | undefined, boolean])[] = [
    ['an object that comes', undefined, object('1'), true],
    ['an object that goes', object('1'), undefined, true],
    ['a change of what matters', object('1'), object('2', { team: 'a' }), true],
    ['another object of that name', object('1'), object('2', {}, 'v'), true],
    ['a change of anything else', object('1'), object('2'), false],
    ['an end of what was never there', undefined, undefined, false],
  ];
  test.each(rows)('%s: %#', (_, before, now, isNews) => {
    const store = new Map<string, KubeObject>();
    const news = new News(store, ({ metadata }) => metadata.labels);
    if (before) store.set('a', before);
    if (before) news.of('a');
    if (now) store.set('a', now);
    else store.delete('a');
    const change = news.of('a');
    expect(change !== undefined).toBe(isNews);
    if (isNews) expect(change).toEqual({ before, now });
  });
});
