import { describe, expect, it } from 'vitest';
import { DEFAULTS, readSettings } from './settings.ts';

const read = (files: Record<string, string>, before = DEFAULTS) =>
  readSettings(new Map(Object.entries(files)), before);
const excluded = (text: string) => read({ 'excludel2.yaml': text }).settings.excluded;

describe('mounted settings', () => {
  it('are the defaults where there are no files', () => {
    expect(read({})).toEqual({ settings: DEFAULTS, refused: [] });
    expect(DEFAULTS.excluded('lo')).toBe(true);
  });

  it('take one value per file, with or without a newline', () => {
    const { settings, refused } = read({
      logLevel: 'debug\n',
      gratuitousIntervalMs: '2000',
      gratuitousDurationMs: '9000\n',
      handoverMs: '0',
    });
    expect(refused).toEqual([]);
    expect(settings).toMatchObject({
      logLevel: 'debug',
      gratuitous: { intervalMs: 2_000, durationMs: 9_000 },
      handoverMs: 0,
    });
  });

  it('take the list of excluded interfaces as upstream writes it', () => {
    expect(excluded('announcedInterfacesToExclude: ["^eth1$", "^lo$"]')('eth1')).toBe(true);
    expect(excluded('announcedInterfacesToExclude:\n  - ^eth1$\n')('eth1')).toBe(true);
    expect(excluded('announcedInterfacesToExclude:\n  - ^eth1$\n')('lo')).toBe(false);
  });

  it('exclude nothing with an empty list, an empty file, or a file about something else', () => {
    for (const text of ['announcedInterfacesToExclude: []', '', '{}', 'other: 1'])
      expect(excluded(text)('lo')).toBe(false);
  });

  it('keep what is in force where a file is bad, and take the others', () => {
    const before = read({
      'excludel2.yaml': 'announcedInterfacesToExclude: [^eth9]',
      logLevel: 'warn',
      handoverMs: '50',
    }).settings;
    const { settings, refused } = read(
      {
        'excludel2.yaml': 'announcedInterfacesToExclude: ["("]',
        logLevel: 'loud',
        handoverMs: '-1',
        gratuitousIntervalMs: '3600000',
        gratuitousDurationMs: '1000',
      },
      before,
    );
    expect(settings).toMatchObject({
      logLevel: 'warn',
      handoverMs: 50,
      gratuitous: { intervalMs: 1_100, durationMs: 1_000 },
    });
    expect(settings.excluded('eth9')).toBe(true);
    expect(refused.map(({ file }) => file).sort()).toEqual([
      'excludel2.yaml',
      'gratuitousIntervalMs',
      'handoverMs',
      'logLevel',
    ]);
  });

  it('know what to do about a second owner', () => {
    expect(DEFAULTS.onConflict).toBe('defend');
    expect(read({ onConflict: 'yield\n' }).settings.onConflict).toBe('yield');
    const { settings, refused } = read({ onConflict: 'fight' }, read({ onConflict: 'tell' }).settings);
    expect([settings.onConflict, refused]).toEqual([
      'tell',
      [{ file: 'onConflict', message: '"fight" is none of defend, yield, tell' }],
    ]);
  });

  it('know when a cordoned node gives its addresses up', () => {
    expect(DEFAULTS.onCordon).toBe('auto');
    expect(read({ onCordon: 'stay\n' }).settings.onCordon).toBe('stay');
    expect(read({ onCordon: 'no' }).refused).toEqual([
      { file: 'onCordon', message: '"no" is none of auto, move, stay' },
    ]);
  });

  it('refuse a list that is none, and text that is no YAML', () => {
    for (const text of ['announcedInterfacesToExclude: ^eth', 'announcedInterfacesToExclude: [1]', 'a: [']) {
      expect(read({ 'excludel2.yaml': text }).refused).toHaveLength(1);
    }
  });

  it('go back to the default when their file goes', () => {
    const before = read({ logLevel: 'debug', handoverMs: '7' }).settings;
    expect(read({}, before).settings).toEqual(DEFAULTS);
  });
});
