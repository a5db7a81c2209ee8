import { describe, expect, it } from 'vitest';
import { type AddressProbeStatus, AddressProbes } from '../../domain/api/herald.ts';
import { foundText, outcome, overall } from './probe-result.ts';

type Answer = NonNullable<AddressProbeStatus['answers']>[number];

const SEVEN = '192.0.2.7';
const EIGHT = '192.0.2.8';
const MAC = '02:00:5e:00:53:01';
const answer = (node: string, more: Partial<Answer> = {}): Answer => ({
  node,
  addresses: [SEVEN],
  taken: [],
  time: '2026-05-01T08:00:00Z',
  ...more,
});
const probe = (answers: readonly Answer[], addresses = [SEVEN]) =>
  AddressProbes.decode({
    metadata: { name: 'a', namespace: 'metallb-system' },
    spec: { addresses, waitSeconds: 2 },
    status: { observedGeneration: -1, answers },
  });
const at = (waited: number, answeredAfter?: number) => ({ waited, answeredAfter });

describe('the outcome of a probe', () => {
  const taken = [{ address: SEVEN, mac: MAC, interface: 'eth0' }];

  it('is known at once when somebody has the address, or when two speakers heard nobody', () => {
    expect(outcome(probe([answer('a', { taken })]), at(10, 10))).toEqual({
      found: [{ address: SEVEN, result: 'Taken', by: [{ ...taken[0], node: 'a' }] }],
    });
    expect(outcome(probe([answer('a'), answer('b')]), at(10, 10))).toEqual({
      found: [{ address: SEVEN, result: 'Free', nodes: ['a', 'b'] }],
    });
  });

  it('waits a moment for a second speaker', () => {
    expect(outcome(probe([answer('a')]), at(450, 400))).toEqual({ until: 700 });
    expect(outcome(probe([answer('a')]), at(700, 400))).toEqual({
      found: [{ address: SEVEN, result: 'Free', nodes: ['a'] }],
    });
  });

  it('is unknown at the end of the wait when nobody could ask', () => {
    expect(outcome(probe([]), at(1_999))).toEqual({ until: 2_000 });
    expect(outcome(probe([]), at(2_000))).toEqual({ found: [{ address: SEVEN, result: 'Unknown' }] });
  });

  it('needs each of several addresses, and is as bad as the worst of them', () => {
    const both = [SEVEN, EIGHT];
    expect(outcome(probe([answer('a')], both), at(1_000, 10))).toEqual({ until: 2_000 });
    const result = (...answers: Answer[]) => {
      const end = outcome(probe(answers, both), at(2_000, 10));
      return 'found' in end && overall(end.found);
    };
    expect(result(answer('a'))).toBe('Unknown');
    expect(result(answer('a', { addresses: both }))).toBe('Free');
    expect(result(answer('a', { taken }))).toBe('Taken');
  });

  it('is told in words', () => {
    const end = outcome(probe([answer('a', { taken })], [SEVEN, EIGHT]), at(2_000, 0));
    expect('found' in end && end.found.map(foundText)).toEqual([
      `${SEVEN}: in use by ${MAC} (seen by a on eth0)`,
      `${EIGHT}: no speaker has an interface in its subnet, or answered in time`,
    ]);
    const free = outcome(probe([answer('a'), answer('b')]), at(0, 0));
    expect('found' in free && free.found.map(foundText)).toEqual([`${SEVEN}: nobody answered to a, b`]);
  });
});
