import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crashes, percentile } from './figures.rig.ts';
import { checkHistory, history } from './history.rig.ts';
import { encodeMessage, OUR_VERSIONS } from './messages.ts';
import { LAN } from './profile.ts';
import { Ring, type RingOptions } from './ring.rig.ts';

/** 5 % of packets lost, and processes that stand still for up to 400 ms. */
const ROUGH = { loss: 0.05, stalls: { ms: 400, everyMs: 10_000 } };

function formed(o: Partial<RingOptions> & { members: number }): Ring {
  const ring = new Ring({ seed: 1, ...o });
  expect(ring.runUntil(() => ring.agreed, 10_000)).toBeLessThan(2_000);
  return ring;
}

describe('a ring of the fast profile', () => {
  it.each([
    [3, 40],
    [10, 15],
    [100, 1],
  ])('of %i agrees on a crash within a second, with loss and stalls', (members, count) => {
    const { agreed, known, falseDeaths } = crashes(formed({ members, ...ROUGH }), count);
    expect(percentile(agreed, 0.99)).toBeLessThan(1_000);
    expect(known.length).toBe(count * (members - 1));
    expect(falseDeaths).toBe(0);
  });

  it('of 3 holds nobody dead in ten minutes of loss and stalls', () => {
    const ring = formed({ members: 3, ...ROUGH });
    ring.run(600_000);
    expect(ring.changes('suspected').length).toBeGreaterThan(50);
    expect(ring.changes('died')).toEqual([]);
  });

  it('of 10 holds nobody dead although each stands still for a fifth of the time', () => {
    const ring = formed({ members: 10, seed: 5, loss: 0.05, stalls: { ms: 400, everyMs: 1_000 } });
    ring.run(10_000);
    expect(ring.changes('suspected').length).toBeGreaterThan(50);
    expect(ring.changes('died')).toEqual([]);
  });

  it('holds one dead that stands still for seconds, once, and takes it back', () => {
    const ring = formed({ members: 5 });
    ring.stall('n2', 3_000);
    ring.run(1_000);
    expect(
      ring
        .changes('died')
        .map(({ by }) => by)
        .sort(),
    ).toEqual(['n0', 'n1', 'n3', 'n4']);
    ring.run(2_000);
    expect(ring.runUntil(() => ring.agreed, 5_000)).toBeLessThan(300);
    ring.run(5_000);
    // It blames nobody for its own absence.
    expect(ring.changes('died').length).toBe(4);
    expect(ring.changes('stalled').map(({ by }) => by)).toEqual(['n2']);
  });

  it('agrees on several crashes at once', () => {
    const ring = formed({ members: 10, ...ROUGH });
    for (const name of ['n1', 'n4', 'n5', 'n8']) ring.crash(name);
    expect(ring.runUntil(() => ring.agreed, 5_000)).toBeLessThan(1_500);
  });

  it('lets a member go that says so, without a suspicion', () => {
    const ring = formed({ members: 10, loss: 0.05 });
    ring.leave('n3');
    const gone = () => ring.names.every((by) => ring.view(by, 'n3') === 'left');
    expect(ring.runUntil(gone, 5_000)).toBeLessThan(100);
    expect(ring.runUntil(() => ring.machine('n3').gone, 5_000)).toBeLessThan(1_000);
    ring.crash('n3');
    ring.run(2_000);
    expect(ring.changes('died')).toEqual([]);
    expect(ring.changes('left').length).toBe(9);
  });

  it.each([
    ['before anybody noticed', 20],
    ['while it is suspected', 300],
    ['after its death', 2_000],
  ])('takes a process back that crashed and starts again %s', (_, downMs) => {
    const ring = formed({ members: 5, loss: 0.05 });
    ring.crash('n2');
    ring.run(downMs);
    ring.start('n2');
    ring.run(1_000);
    expect(ring.runUntil(() => ring.agreed, 5_000)).toBe(0);
    const deaths = ring.changes('died').length;
    ring.run(5_000);
    expect(ring.changes('died').length).toBe(deaths);
  });

  it('does not believe old news about a dead one', () => {
    const ring = formed({ members: 3 });
    const before = ring
      .machine('n0')
      .members()
      .find(({ name }) => name === 'n2');
    ring.crash('n2');
    ring.run(2_000);
    const alive = encodeMessage({
      type: 'alive',
      incarnation: before?.incarnation ?? 0,
      node: 'n2',
      at: { address: '10.0.0.2', port: 7946 },
      meta: new Uint8Array(),
      versions: OUR_VERSIONS,
    });
    ring.inject('n0', alive);
    ring.run(500);
    expect(ring.view('n0', 'n2')).toBe('dead');
    expect(ring.view('n1', 'n2')).toBe('dead');
  });

  it('forgets a dead one after ten minutes', () => {
    const ring = formed({ members: 2 });
    ring.crash('n1');
    ring.run(590_000);
    expect(ring.view('n0', 'n1')).toBe('dead');
    ring.run(20_000);
    expect(ring.view('n0', 'n1')).toBeUndefined();
  });
});

describe('a partition', () => {
  const side = (name: string) => Number(name.slice(1)) % 2;

  it('makes two rings that become one soon after it is healed', () => {
    const ring = formed({ members: 10, loss: 0.05 });
    ring.reaches = (a, b) => side(a) === side(b);
    ring.run(3_000);
    for (const by of ring.names) {
      const live = ring.names.filter((of) => ring.view(by, of) === 'alive');
      expect(live).toEqual(ring.names.filter((of) => side(of) === side(by)));
    }
    ring.reaches = () => true;
    expect(ring.runUntil(() => ring.agreed, 10_000)).toBeLessThan(700);
    const deaths = ring.changes('died').length;
    ring.run(5_000);
    expect(ring.changes('died').length).toBe(deaths);
  });

  it('of two members only kills nobody: the others help', () => {
    const ring = formed({ members: 5, loss: 0.05 });
    ring.reaches = (a, b) => !(a === 'n1' && b === 'n2') && !(a === 'n2' && b === 'n1');
    ring.run(20_000);
    expect(ring.changes('died')).toEqual([]);
  });

  it('in one direction kills nobody either', () => {
    const ring = formed({ members: 5, loss: 0.05 });
    ring.reaches = (a, b) => !(a === 'n1' && b === 'n2');
    ring.run(20_000);
    expect(ring.changes('died')).toEqual([]);
  });

  it('of one member from all: it is dead to them, and they to it, until it is healed', () => {
    const ring = formed({ members: 6 });
    ring.reaches = (a, b) => a !== 'n4' && b !== 'n4';
    ring.run(3_000);
    expect(ring.names.filter((of) => ring.view('n0', of) === 'dead')).toEqual(['n4']);
    expect(ring.names.filter((of) => ring.view('n4', of) === 'dead').length).toBe(5);
    ring.reaches = () => true;
    expect(ring.runUntil(() => ring.agreed, 10_000)).toBeLessThan(1_000);
  });

  it('of a member that nobody hears is its death, although it hears the others', () => {
    const ring = formed({ members: 6 });
    ring.reaches = (a) => a !== 'n4';
    expect(ring.runUntil(() => ring.view('n0', 'n4') === 'dead', 5_000)).toBeLessThan(1_000);
    ring.reaches = () => true;
    expect(ring.runUntil(() => ring.agreed, 10_000)).toBeLessThan(1_000);
  });
});

describe('a ring of the lan profile', () => {
  it('agrees on a crash in upstream time: a probe, and four seconds of suspicion', () => {
    const { agreed, falseDeaths } = crashes(formed({ members: 10, profile: LAN, loss: 0.05 }), 2);
    for (const ms of agreed) expect(ms).toBeGreaterThan(4_000);
    expect(percentile(agreed, 1)).toBeLessThan(12_000);
    expect(falseDeaths).toBe(0);
  });
});

describe('whatever happened', () => {
  it('all agree once it is over, and nobody who is dead comes back', () => {
    fc.assert(fc.property(history, checkHistory), { numRuns: 8 });
  });
});
