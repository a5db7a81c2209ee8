import { describe, expect, it } from 'vitest';
import { formatSeconds, parseDuration, SECOND } from './duration.ts';

describe('parseDuration', () => {
  const rows: readonly (readonly [string, bigint | undefined])[] = [
    ['90s', 90n * SECOND],
    ['1m30s', 90n * SECOND],
    ['1.5m', 90n * SECOND],
    ['1h0m1s', 3601n * SECOND],
    ['.5s', SECOND / 2n],
    ['1.s', SECOND],
    ['500ms', SECOND / 2n],
    ['1us', 1000n],
    ['-3s', -3n * SECOND],
    ['+3s', 3n * SECOND],
    ['0', 0n],
    ['90', undefined],
    ['', undefined],
    ['s', undefined],
    ['1 s', undefined],
    ['1d', undefined],
    ['1m30', undefined],
    ['1e3s', undefined],
  ];
  for (const [text, expected] of rows)
    it(`reads "${text}"`, () => expect(parseDuration(text)).toBe(expected));
});

describe('formatSeconds', () => {
  it.each([
    [0n, '0s'],
    [59n, '59s'],
    [90n, '1m30s'],
    [120n, '2m0s'],
    [3600n, '1h0m0s'],
    [90_061n, '25h1m1s'],
  ])('writes %s seconds as %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
    expect(parseDuration(text)).toBe(seconds * SECOND);
  });
});
