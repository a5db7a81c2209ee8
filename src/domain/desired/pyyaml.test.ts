import { describe, expect, it } from 'vitest';
import { YamlError } from './flux/errors.ts';
import { pyKey, pyScalar, pyText } from './pyyaml.ts';

const plain = (text: string, tag?: string) =>
  pyScalar({ kind: 'scalar', text, plain: true, ...(tag !== undefined && { tag }) });

describe('a scalar without quotes, as PyYAML types it', () => {
  it.each([
    ['yes', true],
    ['No', false],
    ['on', true],
    ['OFF', false],
    ['true', true],
    ['tRUE', 'tRUE'],
    // Go takes these two for booleans.
    ['y', 'y'],
    ['n', 'n'],
    ['', null],
    ['~', null],
    ['Null', null],
    ['0', 0],
    ['179', 179],
    ['+5', 5],
    ['-12', -12],
    ['1_000', 1000],
    ['0123', 83],
    ['-0123', -83],
    ['089', '089'],
    ['0o17', '0o17'],
    ['0x1F', 31],
    ['0b101', 5],
    ['4200000000', 4_200_000_000],
    // Base 60.
    ['64512:10', 3_870_730],
    ['1234:1', 74_041],
    ['22:22', 1_342],
    ['65535:65282', '65535:65282'],
    ['0:10', '0:10'],
    ['190:20:30', 685_230],
    ['190:20:30.15', 685_230.15],
    ['1.5', 1.5],
    ['1.10', 1.1],
    ['1.', 1],
    ['.5', 0.5],
    ['-.5', '-.5'],
    ['1e3', '1e3'],
    ['1.0e3', '1.0e3'],
    ['1.0e+3', 1000],
    ['.inf', Number.POSITIVE_INFINITY],
    ['-.Inf', Number.NEGATIVE_INFINITY],
    ['.NaN', Number.NaN],
    ['2026-01-01', '2026-01-01'],
    ['10.5.0.0/16', '10.5.0.0/16'],
    ['10.0.0.1', '10.0.0.1'],
    ['fd00::1', 'fd00::1'],
    ['120s', '120s'],
    ['=', '='],
  ])('%s is %j', (text, value) => expect(plain(text)).toEqual(value));

  it('is text in quotes, whatever it looks like', () => {
    expect(pyScalar({ kind: 'scalar', text: 'yes', plain: false })).toBe('yes');
    expect(pyScalar({ kind: 'scalar', text: '0123', plain: false })).toBe('0123');
  });

  it('follows the tags that Ansible knows, and refuses others', () => {
    const full = (name: string) => `tag:yaml.org,2002:${name}`;
    expect(plain('0123', full('str'))).toBe('0123');
    expect(plain('0123', full('int'))).toBe(83);
    expect(plain('yes', full('bool'))).toBe(true);
    expect(plain('x', full('null'))).toBeNull();
    expect(plain('{{ x }}', '!unsafe')).toBe('{{ x }}');
    expect(plain('66386', '!vault')).toBe('$ANSIBLE_VAULT;');
    for (const tag of ['!reference', full('binary'), full('int')])
      expect(() => plain('word', tag)).toThrow(YamlError);
  });
});

describe('what Jinja prints', () => {
  it('is spelt as Python spells it', () => {
    expect([true, false, null, 83, 'x'].map(pyText)).toEqual(['True', 'False', 'None', '83', 'x']);
    expect(pyKey({ kind: 'scalar', text: '0x10', plain: true })).toBe('16');
  });
});
