import { describe, expect, it } from 'vitest';
import { statusOf } from './report.ts';

const problem = (n: number) => ({
  code: 'PoolRangeInvalid',
  object: 'IPAddressPool a',
  path: `spec.addresses[${n}]`,
  message: 'bad',
});

describe('the ConfigurationState', () => {
  it('is valid without problems', () => {
    expect(statusOf(undefined, [], 'T1')).toEqual({
      result: 'Valid',
      conditions: [
        {
          type: 'poolReconcilerValid',
          status: 'True',
          reason: 'Reconciled',
          message: '',
          lastTransitionTime: 'T1',
        },
      ],
    });
  });

  it('names all problems, in the condition and in the summary', () => {
    const status = statusOf(undefined, [problem(0), problem(1)], 'T1');
    const text =
      'configuration error: IPAddressPool a spec.addresses[0]: bad; IPAddressPool a spec.addresses[1]: bad';
    expect(status).toMatchObject({ result: 'Invalid', errorSummary: text });
    expect(status.conditions?.[0]).toMatchObject({
      status: 'False',
      reason: 'ConfigurationError',
      message: text,
    });
  });

  it('stays within what the API takes', () => {
    const long = Array.from({ length: 500 }, (_, n) => ({ ...problem(n), message: 'x'.repeat(5_000) }));
    const { errorSummary = '' } = statusOf(undefined, long, 'T1');
    expect(errorSummary.length).toBeLessThan(32_768);
    expect(errorSummary).toMatch(/; and 480 more$/);
  });

  it('does not change when it says the same later', () => {
    const before = statusOf(undefined, [problem(0)], 'T1');
    expect(statusOf(before, [problem(0)], 'T2')).toEqual(before);
    expect(statusOf(before, [], 'T2').conditions?.[0]?.lastTransitionTime).toBe('T2');
  });
});
