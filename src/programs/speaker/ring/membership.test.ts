import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../platform/obs/clock.ts';
import { createLog } from '../../../platform/obs/log.ts';
import { systemRandom } from '../../../platform/obs/random.ts';
import { FAST } from '../../../protocols/gossip/profile.ts';
import { Membership, type MembershipOptions } from './membership.ts';
import { makeWaiting } from './waiting.rig.ts';

/** All on one port, each on an address of its own, as nodes have it; another run of these tests has another port. */
const PORT = 20_000 + (process.pid % 10_000);
const address = (i: number): string => `127.0.77.${i}`;
const SECRET = 'c2VjcmV0IG9mIHRoZSByaW5n';

describe('a place in the ring', () => {
  const open: Membership[] = [];
  const { stir, when } = makeWaiting();
  const drops: string[] = [];

  const start = async (i: number, o: { secret?: string; clock?: MembershipOptions['clock'] } = {}) => {
    const membership = await Membership.start({
      clock: o.clock ?? systemClock,
      random: systemRandom,
      log: createLog({ level: 'none', clock: systemClock, fields: {} }),
      name: `n${i}`,
      at: { address: address(i), port: PORT },
      profile: FAST,
      meta: Buffer.from(`of n${i}`),
      secret: new TextEncoder().encode(o.secret ?? SECRET),
      expected: () => [1, 2, 3].filter((other) => other !== i).map(address),
      onChange: stir,
      onDrop: (reason) => {
        drops.push(reason);
        stir();
      },
    });
    open.push(membership);
    return membership;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((membership) => membership.close()));
    drops.length = 0;
  });

  it('is found by those that expect each other', async () => {
    const [one, two] = [await start(1), await start(2)];
    await when(() => one.state('n2') === 'member' && two.state('n1') === 'member');
    expect(one.state('n3')).toBeUndefined();
    const three = await start(3);
    await when(() => [one, two].every((m) => m.state('n3') === 'member') && three.members().length === 3);
  });

  it('is given up with a farewell', async () => {
    const [one, two] = [await start(1), await start(2)];
    await when(() => one.state('n2') === 'member' && two.state('n1') === 'member');
    await two.leave();
    await when(() => one.state('n2') === 'left');
  });

  it('is described to the others', async () => {
    const [one, two] = [await start(1), await start(2)];
    const said = () => Buffer.from(one.member('n2')?.meta ?? []).toString();
    await when(() => said() === 'of n2');
    two.describe(Buffer.from('other'));
    await when(() => said() === 'other');
  });

  it('is given up for a while, and taken again', async () => {
    const [one, two] = [await start(1), await start(2)];
    await when(() => one.state('n2') === 'member' && two.state('n1') === 'member');
    two.stepAside();
    expect(two.state('n2')).toBe('left');
    await when(() => one.state('n2') === 'left');
    two.comeBack();
    await when(() => one.state('n2') === 'member');
    expect([two.state('n1'), two.state('n2')]).toEqual(['member', 'member']);
    await two.leave();
    await when(() => one.state('n2') === 'left');
  });

  it('is lost by a crash', async () => {
    const [one, two] = [await start(1), await start(2)];
    await when(() => one.state('n2') === 'member' && two.state('n1') === 'member');
    await two.close();
    await when(() => one.state('n2') === 'dead');
  });

  it('is not had with another key', async () => {
    const one = await start(1);
    const two = await start(2, { secret: 'something else' });
    await when(() => drops.includes('not-decrypted'));
    expect([one.state('n2'), two.state('n1')]).toEqual([undefined, undefined]);
  });

  it('is kept while the key changes, node by node', async () => {
    const later: { ms: number; run: () => void }[] = [];
    // Minutes pass when the test says so, everything else in real time.
    const clock: MembershipOptions['clock'] = {
      ...systemClock,
      after(ms, run) {
        if (ms < 100_000) return systemClock.after(ms, run);
        later.push({ ms, run });
        return { cancel: () => {} };
      },
    };
    const pass = (ms: number): void => {
      for (const each of later) if (each.ms <= ms) each.run();
    };
    const [one, two] = [await start(1, { clock }), await start(2, { clock })];
    await when(() => one.state('n2') === 'member' && two.state('n1') === 'member');
    const key = new TextEncoder().encode('bmV3IHNlY3JldA');
    one.rotate(key);
    one.rotate(key);
    two.rotate(key);
    expect(later.map(({ ms }) => ms)).toEqual([150_000, 300_000, 150_000, 300_000]);
    pass(150_000);
    pass(300_000);
    // The new key alone is left: who has it joins, and who has the old one does not.
    const three = await start(3, { secret: 'bmV3IHNlY3JldA' });
    await when(() => three.state('n1') === 'member' && one.state('n3') === 'member');
    await three.close();
    // What was under way when the old one went.
    drops.length = 0;
    await start(4);
    await when(() => drops.includes('not-decrypted'));
  });

  it('is refused a port that is taken', async () => {
    await start(1);
    await expect(start(1)).rejects.toThrow(/EADDRINUSE/);
  });
});
