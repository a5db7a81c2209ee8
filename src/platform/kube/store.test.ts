import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KubeObject, keyOf } from '../../domain/api/object.ts';
import { ObjectStore } from './store.ts';

interface Thing extends KubeObject {
  readonly tags: readonly string[];
}
const thing = (name: string, tags: readonly string[]): Thing => ({
  metadata: { name, uid: name, resourceVersion: '1', generation: 0, labels: {}, annotations: {} },
  tags,
});

describe('a store', () => {
  it('finds by index exactly what a search of everything would find', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const tags = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 4 });
    const step = fc.oneof(fc.record({ set: name, tags }), fc.record({ delete: name }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new ObjectStore<Thing>({ tag: (t) => t.tags });
        const model = new Map<string, Thing>();
        for (const s of steps) {
          if ('set' in s) {
            const object = thing(s.set, s.tags);
            expect(store.set(s.set, object)).toBe(model.get(s.set));
            model.set(s.set, object);
          } else {
            expect(store.delete(s.delete)).toBe(model.get(s.delete));
            model.delete(s.delete);
          }
          expect(store.size).toBe(model.size);
          for (const tag of ['x', 'y', 'z']) {
            const expected = [...model.values()].filter((t) => t.tags.includes(tag)).map(keyOf);
            expect([...store.by('tag', tag)].map(keyOf).toSorted()).toEqual(expected.toSorted());
          }
        }
      }),
    );
  });

  it('knows no index that was not named', () => {
    expect(() => [...new ObjectStore<Thing>().by('tag', 'x')]).toThrow(/tag/);
  });

  it('may be read while it is changed', () => {
    const store = new ObjectStore<Thing>({ tag: (t) => t.tags });
    for (const name of ['a', 'b', 'c']) store.set(name, thing(name, ['x']));
    const found: string[] = [];
    for (const t of store.by('tag', 'x')) {
      found.push(t.metadata.name);
      store.delete('b');
    }
    expect(found).toEqual(['a', 'c']);
  });
});
