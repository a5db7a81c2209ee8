import { describe, expect, it } from 'vitest';
import { configMapSource, isObjectName, joinName, proposeName } from './names.ts';

describe('object names', () => {
  const rows: readonly (readonly [string, boolean, string | undefined])[] = [
    ['web', true, 'web'],
    ['a.b-c.0', true, 'a.b-c.0'],
    ['My_Pool', false, 'my-pool'],
    ['-x-', false, 'x'],
    ['a..b', false, 'a.b'],
    ['a.-b', false, 'a.b'],
    ['ü', false, undefined],
    ['', false, undefined],
    ['a'.repeat(254), false, 'a'.repeat(253)],
  ];
  for (const [name, legal, proposal] of rows) {
    it(`${legal ? 'takes' : 'refuses'} "${name.slice(0, 20)}", and would take ${proposal?.slice(0, 20)}`, () => {
      expect(isObjectName(name)).toBe(legal);
      expect(proposeName(name)).toBe(proposal);
    });
  }

  it('joins parts, and keeps long ones apart by a hash', () => {
    expect(joinName('-', 'herald', 'peer', 'tor')).toBe('herald-peer-tor');
    const long = (end: string) => joinName('-', 'herald', 'x'.repeat(250) + end);
    expect(long('a')).not.toBe(long('b'));
    for (const name of [long('a'), long('b')]) expect(isObjectName(name)).toBe(true);
  });

  it('tells ConfigMaps of different namespaces apart, whatever dots their names have', () => {
    expect(configMapSource('a', 'b.c')).toBe('a.b.c');
    expect(configMapSource('a', 'b.c').split('.')[0]).toBe('a');
  });
});
