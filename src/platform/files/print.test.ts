import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { printYaml } from './print.ts';
import { parseYaml } from './yaml.ts';

const none = { head: [], at: new Map() };

describe('printYaml', () => {
  it('puts comments above keys, items and everything', () => {
    const comments = {
      head: ['first', 'two\nlines'],
      at: new Map([
        ['pools.web', ['from a.yaml:3']],
        ['pools.web.addresses[1]', ['warning']],
        ['nowhere', ['unseen']],
      ]),
    };
    const value = { pools: { web: { addresses: ['192.0.2.0/28', '192.0.2.32-192.0.2.40'] } } };
    expect(printYaml(value, comments)).toBe(
      [
        '# first',
        '# two',
        '# lines',
        '',
        'pools:',
        '  # from a.yaml:3',
        '  web:',
        '    addresses:',
        '      - 192.0.2.0/28',
        '      # warning',
        '      - 192.0.2.32-192.0.2.40',
        '',
      ].join('\n'),
    );
  });

  it('lets no comment become content', () => {
    const said = { head: ['a\rb: 1', 'c\u2028d: 2', 'e\u0085f: 3'], at: new Map() };
    expect(printYaml({}, said)).toBe('# a b: 1\n# c d: 2\n# e f: 3\n\n{}\n');
  });

  it.each([
    'yes',
    'N',
    'on',
    '0123',
    '0x1F',
    '1e3',
    '1_000',
    '64512:10',
    '~',
    '',
    'null',
    '2024-01-01',
    '#',
    'a: b',
    '{{ x }}',
    '=',
    '<<',
    'E0',
    'e-0',
  ])('quotes %j, which readers type differently', (text) => {
    expect(printYaml({ a: text }, none)).toBe(`a: ${JSON.stringify(text)}\n`);
  });

  it('leaves plain what is text for everybody', () => {
    expect(printYaml({ a: ['layer2', 'v1/x', '10.0.0.0/8'] }, none)).toBe(
      'a:\n  - layer2\n  - v1/x\n  - 10.0.0.0/8\n',
    );
    expect(printYaml({}, none)).toBe('{}\n');
  });

  it('reads back as it was, in YAML 1.1 and 1.2', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
        const clean: unknown = JSON.parse(JSON.stringify(value));
        const text = printYaml(clean, none);
        expect(parse(text, { version: '1.1' })).toEqual(clean);
        const read = parseYaml(text, { source: 'x' });
        expect('problems' in read ? read.problems : read.value).toEqual(clean);
      }),
    );
  });
});
