import { describe, expect, it } from 'vitest';
import { node } from './field.rig.ts';
import { causeOf, type MoveCause } from './moves.ts';
import type { NotOwner } from './reasons.ts';

const nowhere = { losses: { interfaces: [], absent: [], nowhere: true } };

describe('the cause of a move', () => {
  it.each<[MoveCause, NotOwner | undefined, NotOwner | undefined]>([
    ['node-crashed', 'speaker-dead', 'later-in-order'],
    ['node-crashed', 'node-not-ready', 'later-in-order'],
    ['node-crashed', 'no-speaker', 'later-in-order'],
    ['planned', 'speaker-stopping', 'later-in-order'],
    ['carrier-lost', 'interface-lost', 'later-in-order'],
    ['cordoned', 'cordoned', 'less-preferred'],
    ['configuration', 'excluded-by-label', 'later-in-order'],
    ['configuration', 'not-selected', 'later-in-order'],
    ['endpoints', 'no-local-endpoint', 'no-local-endpoint'],
    // The other one could go on: we are back, or come first now.
    ['healed', 'later-in-order', 'speaker-not-ready'],
    ['healed', 'later-in-order', 'interface-lost'],
    ['healed', 'less-preferred', 'cordoned'],
    ['endpoints', 'later-in-order', 'no-local-endpoint'],
    ['configuration', 'later-in-order', 'excluded-by-label'],
    ['configuration', 'less-preferred', 'less-preferred'],
    ['configuration', undefined, undefined],
  ])('is %s when the owner before is %s and the new one was %s', (cause, other, own) => {
    expect(causeOf({ other, own, node: node('node-a') })).toBe(cause);
  });

  it('is a lost carrier when the owner before left because it can answer nowhere', () => {
    const before = node('node-a', nowhere);
    expect(causeOf({ other: 'speaker-stopping', own: 'later-in-order', node: before })).toBe('carrier-lost');
  });

  it('is a crash when there is no such node any more', () => {
    expect(causeOf({ other: 'not-selected', own: 'later-in-order', node: undefined })).toBe('node-crashed');
  });
});
