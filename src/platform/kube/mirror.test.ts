import { describe, expect, it } from 'vitest';
import type { Kind, KubeObject } from '../../domain/api/object.ts';
import { Mirror } from './mirror.ts';

interface Thing extends KubeObject {
  readonly value: string;
}
interface Raw {
  readonly metadata: { name: string; namespace?: string; uid: string; resourceVersion: string };
  readonly value: string;
}
let decoded = 0;
const Things: Kind<Thing> = {
  group: 'x',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
  decode(raw) {
    decoded++;
    const { metadata, value } = raw as Raw;
    if (value === 'bad') throw new Error('value is bad');
    return { metadata: { ...metadata, generation: 1, labels: {}, annotations: {} }, value };
  },
};
const raw = (name: string, resourceVersion: string, value = name, uid = name): Raw => ({
  metadata: { name, namespace: 'ns', uid, resourceVersion },
  value,
});

function mirrored() {
  const complaints: string[] = [];
  const mirror = new Mirror(Things, undefined, (key) => complaints.push(key));
  const list = (...items: unknown[]) => {
    const listing = mirror.listing();
    for (const item of items) listing.item(listing.read(item));
    return listing.finish().map(({ key }) => key);
  };
  const values = () => Object.fromEntries([...mirror.store.list()].map((t) => [t.metadata.name, t.value]));
  return { mirror, list, values, complaints };
}

describe('a mirror', () => {
  it('tells only the differences of a list, and does not decode the rest', () => {
    const { list, values } = mirrored();
    expect(list(raw('a', '1'), raw('b', '1'), raw('c', '1'))).toEqual(['ns/a', 'ns/b', 'ns/c']);
    decoded = 0;
    expect(list(raw('a', '1'), raw('b', '2', 'new'), raw('d', '1'))).toEqual(['ns/c', 'ns/b', 'ns/d']);
    expect(decoded).toBe(2);
    expect(values()).toEqual({ a: 'a', b: 'new', d: 'd' });
  });

  it('tells what there was before each difference', () => {
    const { mirror, list } = mirrored();
    expect(mirror.put(raw('a', '1'))).toEqual({ key: 'ns/a', before: undefined });
    list(raw('a', '1'), raw('b', '1', 'old'));
    const listing = mirror.listing();
    for (const item of [raw('b', '2', 'new'), raw('c', '1')]) listing.item(listing.read(item));
    expect(listing.finish().map(({ key, before }) => [key, before?.value])).toEqual([
      ['ns/a', 'a'],
      ['ns/b', 'old'],
      ['ns/c', undefined],
    ]);
  });

  it('takes an object of the same name and version for new when its uid is', () => {
    const { list } = mirrored();
    list(raw('a', '1'));
    expect(list(raw('a', '1', 'again', 'other'))).toEqual(['ns/a']);
  });

  it('changes nothing until a list is complete, and forgets one that began anew', () => {
    const { mirror, values } = mirrored();
    const listing = mirror.listing();
    listing.item(listing.read(raw('a', '1')));
    expect(values()).toEqual({});
    listing.restart();
    listing.item(listing.read(raw('b', '1')));
    expect(listing.finish().map(({ key }) => key)).toEqual(['ns/b']);
    expect(values()).toEqual({ b: 'b' });
  });

  it('keeps the last good form of what cannot be read, through events and lists, until it is deleted', () => {
    const { mirror, list, values, complaints } = mirrored();
    list(raw('a', '1', 'good'));
    expect(mirror.put(raw('a', '2', 'bad'))).toBeUndefined();
    expect(list(raw('a', '2', 'bad'), raw('b', '1'))).toEqual(['ns/b']);
    expect(list(raw('a', '2', 'bad'), raw('b', '1'))).toEqual([]);
    expect(values()).toEqual({ a: 'good', b: 'b' });
    expect(complaints).toEqual(['ns/a']);
    expect(mirror.put(raw('a', '3', 'better'))).toMatchObject({ key: 'ns/a', before: { value: 'good' } });
    expect(mirror.put(raw('a', '4', 'bad'))).toBeUndefined();
    expect(mirror.drop(raw('a', '5', 'bad'))).toMatchObject({ key: 'ns/a', before: { value: 'better' } });
    expect(values()).toEqual({ b: 'b' });
    expect(complaints).toEqual(['ns/a', 'ns/a']);
  });

  it('goes on behind an object that cannot even be named', () => {
    const { list, complaints, values } = mirrored();
    expect(list(null, { metadata: {} }, raw('a', '1'))).toEqual(['ns/a']);
    expect(complaints).toEqual(['', '']);
    expect(values()).toEqual({ a: 'a' });
  });

  it('tells of a deletion only what it had', () => {
    const { mirror } = mirrored();
    expect(mirror.drop(raw('a', '1'))).toBeUndefined();
  });
});
