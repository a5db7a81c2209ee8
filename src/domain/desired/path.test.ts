import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathText } from '../api/check.ts';
import { inside, pathOf, placeOf } from './path.ts';

describe('pathOf', () => {
  it('reads back whatever pathText writes', () => {
    const step = fc.oneof(fc.string({ minLength: 1 }), fc.nat({ max: 1000 }));
    fc.assert(
      fc.property(fc.array(step), (path) => {
        expect(pathOf(pathText(path))).toEqual(path);
      }),
    );
  });

  it('reads plain keys, positions and quoted keys', () => {
    expect(pathOf('pools["a.b"].addresses[1]')).toEqual(['pools', 'a.b', 'addresses', 1]);
    expect(pathOf('')).toEqual([]);
  });
});

describe('inside', () => {
  it('puts a field of an object into the place of its values', () => {
    expect(inside('pools.web', 'spec.addresses[1]')).toBe('pools.web.addresses[1]');
    expect(inside('pools["a.b"]', 'spec.serviceAllocation.namespaces[0]')).toBe(
      'pools["a.b"].serviceAllocation.namespaces[0]',
    );
    expect(inside('pools.web', 'metadata.name')).toBe('pools.web');
    expect(inside('pools.web', '')).toBe('pools.web');
  });
});

describe('placeOf', () => {
  const manifest = {
    path: '[0]',
    fields: new Map([
      ['', '[0].spec'],
      ['metadata', '[0].metadata'],
      ['password', 'elsewhere'],
    ]),
  };
  it.each([
    ['spec.addresses[1]', '[0].spec.addresses[1]'],
    ['addresses', '[0].spec.addresses'],
    ['spec', '[0].spec'],
    ['metadata.name', '[0].metadata.name'],
    ['spec.password', 'elsewhere'],
    ['', '[0]'],
  ])('finds %s of an object whose fields stand elsewhere', (field, place) =>
    expect(placeOf(manifest, field)).toBe(place),
  );

  it('finds a field below the object where nothing else is said', () => {
    expect(placeOf({ path: 'pools.web' }, 'spec.addresses[1]')).toBe('pools.web.addresses[1]');
    expect(placeOf({ path: 'pools.web', fields: new Map() }, 'spec')).toBe('pools.web');
  });
});
