import { describe, expect, it } from 'vitest';
import { goBoolean, goDashes, ignored, ignoring, program, readFlags } from './flags.ts';

const parse = (...args: string[]) => readFlags(program('x', 'x'), ['node', 'x', ...args]);

describe('flags', () => {
  it('have the defaults of upstream', () => {
    expect(parse()).toMatchObject({ logLevel: 'info', port: 9120, healthProbePort: 17472 });
  });
  it('take the forms that Go takes', () => {
    expect(parse('-port=7', '--health-probe-port', '8', '--log-level=all')).toMatchObject({
      port: 7,
      healthProbePort: 8,
      logLevel: 'all',
    });
    expect(goDashes(['-lb-class=a', '-h', '--port=1'])).toEqual(['--lb-class=a', '-h', '--port=1']);
    expect([goBoolean('true'), goBoolean('F')]).toEqual([true, false]);
    expect(() => goBoolean('maybe')).toThrow(/true nor false/);
  });
  it('tell which meaningless ones were given', () => {
    const names = ['webhook-mode', 'disable-cert-rotation', 'cert-dir'];
    const command = ignoring(program('x', 'x'), names);
    readFlags(command, ['node', 'x', '--webhook-mode=disabled', '--disable-cert-rotation']);
    expect(ignored(command, names)).toEqual(['webhook-mode', 'disable-cert-rotation']);
    expect(command.helpInformation()).not.toContain('webhook-mode');
  });
});
