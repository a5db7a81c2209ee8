import { describe, expect, it } from 'vitest';
import { bytes, GOLDEN } from './golden.rig.ts';
import { accuse, alive, at, Bench, described, only, PLAIN } from './machine.rig.ts';
import { encodeMessage } from './messages.ts';
import { LAN } from './profile.ts';
import { decodeStream, encodePushPull, encodeStream, type PushPull } from './stream.ts';

const types = (bench: Bench) => bench.last.changes.map(({ type }) => type);

describe('a ping', () => {
  it('is answered where it says that it comes from', () => {
    const bench = new Bench();
    const origin = { node: 'n1', at: at(1) };
    const sent = bench.take({ type: 'ping', seq: 7, node: 'n0', origin });
    expect(only(sent, 'ack')).toMatchObject([{ seq: 7, to: '10.0.0.11:7946' }]);
  });

  it('is answered to the sender of the packet when it does not say', () => {
    const sent = new Bench().take({ type: 'ping', seq: 7, node: '' }, at(5));
    expect(only(sent, 'ack')).toMatchObject([{ seq: 7, to: '10.0.0.15:7946' }]);
  });

  it('for another name is not answered', () => {
    const bench = new Bench();
    expect(only(bench.take({ type: 'ping', seq: 7, node: 'n5' }), 'ack')).toEqual([]);
    expect(bench.last.drops).toEqual(['not-for-us']);
  });

  it('of one that we hold dead is answered with the news', () => {
    const bench = new Bench({ peers: 3 });
    bench.take(accuse('dead', 1, { by: 2 }));
    const sent = bench.take({ type: 'ping', seq: 7, node: 'n0', origin: { node: 'n1', at: at(1) } });
    expect(
      only(sent, 'dead').filter(
        ({ node, from, to }) => node === 'n1' && from === 'n0' && to === '10.0.0.11:7946',
      ),
    ).toHaveLength(1);
  });

  it('for somebody else is passed on, its answer passed back', () => {
    const bench = new Bench({ peers: 2 });
    const ask = {
      type: 'indirect-ping',
      seq: 70,
      node: 'n2',
      target: at(2),
      nack: true,
      origin: { node: 'n1', at: at(1) },
    };
    const [ping] = only(bench.take({ ...ask, type: 'indirect-ping' }), 'ping');
    expect(ping).toMatchObject({ node: 'n2', to: '10.0.0.12:7946', origin: { node: 'n0' } });
    expect(only(bench.take({ type: 'ack', seq: ping?.seq ?? 0 }), 'ack')).toMatchObject([
      { seq: 70, to: '10.0.0.11:7946' },
    ]);
  });

  it('for somebody else who is silent ends with a nack, in time for whoever asked', () => {
    const bench = new Bench({ peers: 2 });
    const origin = { node: 'n1', at: at(1) };
    bench.take({ type: 'indirect-ping', seq: 70, node: 'n2', target: at(2), nack: true, origin });
    expect(only(bench.pass(39, ['n2']), 'nack')).toEqual([]);
    expect(only(bench.pass(2, ['n2']), 'nack')).toMatchObject([{ seq: 70, to: '10.0.0.11:7946' }]);
  });
});

describe('a probe', () => {
  it('goes to each member in turn', () => {
    const bench = new Bench({ peers: 3 });
    const asked = only(bench.pass(600), 'ping').map(({ node }) => node);
    expect(asked.length).toBeGreaterThanOrEqual(6);
    expect(new Set(asked.slice(0, 3))).toEqual(new Set(['n1', 'n2', 'n3']));
    expect(new Set(asked.slice(3, 6))).toEqual(new Set(['n1', 'n2', 'n3']));
  });

  it.each([
    [1, 6],
    [2, 10],
    [4, 13],
    [9, 20],
    [99, 20],
  ])(
    'comes the more often the more others there are, as few come round soon: %i, %i a second',
    (peers, count) => {
      const bench = new Bench({ peers });
      bench.pass(1_000);
      const asked = only(bench.pass(1_000), 'ping').length;
      expect([count, count + 1]).toContain(asked);
    },
  );

  it('comes at the same interval in a ring of the other profiles, however small', () => {
    const bench = new Bench({ peers: 2, profile: LAN });
    bench.pass(1_000);
    expect(only(bench.pass(10_000), 'ping').length).toBe(10);
  });

  it('is all that a member is woken up for while nothing happens', () => {
    const bench = new Bench({ peers: 2 });
    bench.pass(5_000);
    const woken = bench.wakes;
    const asked = only(bench.pass(1_000), 'ping').length;
    expect(bench.wakes - woken).toBe(asked);
  });

  it('wakes nobody while there is nobody', () => {
    const bench = new Bench({ peers: 0 });
    bench.pass(1_000);
    const woken = bench.wakes;
    bench.pass(1_500);
    // Ten probes that find nobody, and no gossip.
    expect(bench.wakes - woken).toBe(10);
  });

  it('without an answer is tried by others and over a stream, then makes a suspect', () => {
    const bench = new Bench({ peers: 4 });
    const sent = bench.pass(260, ['n1', 'n2', 'n3', 'n4']);
    expect(only(sent, 'indirect-ping').length).toBeGreaterThanOrEqual(3);
    expect(bench.dials.length).toBeGreaterThan(0);
    const suspects = [1, 2, 3, 4].filter((i) => bench.state(i) === 'suspect');
    expect(suspects.length).toBeGreaterThan(0);
  });

  it('is answered by a stream, too', () => {
    const bench = new Bench({ peers: 1 });
    while (bench.dials.length === 0) bench.pass(1, 'all');
    const [dial] = bench.dials;
    const ping = dial && decodeStream(dial.bytes, PLAIN, 'call');
    expect(ping).toMatchObject({ type: 'ping', node: 'n1' });
    const seq = typeof ping === 'object' && 'seq' in ping ? ping.seq : 0;
    const ack = encodeStream(encodeMessage({ type: 'ack', seq }), PLAIN, 'answer');
    bench.last = bench.machine.heard(bench.now, dial?.stream ?? '', ack);
    expect(bench.last.hangUps).toEqual([dial?.stream]);
    bench.pass(20, 'all');
    expect(bench.state(1)).toBe('alive');
  });

  it('blames nobody for a time in which this process stood still', () => {
    const bench = new Bench({ peers: 1 });
    const [ping] = only(bench.pass(60, 'all'), 'ping');
    bench.now += 5_000;
    bench.last = bench.machine.tick(bench.now);
    expect(types(bench)).toEqual(['stalled']);
    // The answer had waited all that time.
    bench.take({ type: 'ack', seq: ping?.seq ?? 0 });
    expect(bench.state(1)).toBe('alive');
    expect(bench.machine.health).toBeLessThanOrEqual(1);
  });
});

describe('what is said about members', () => {
  it.each([
    [
      'an alive of the same incarnation does not clear a suspect',
      [accuse('suspect', 1, { by: 2 }), alive(1, 1)],
      'suspect',
    ],
    ['an alive of a later one does', [accuse('suspect', 1, { by: 2 }), alive(1, 2)], 'alive'],
    ['a suspicion about an earlier one is void', [alive(1, 2), accuse('suspect', 1, { by: 2 })], 'alive'],
    ['a death about an earlier one is void', [alive(1, 2), accuse('dead', 1, { by: 2 })], 'alive'],
    ['a death kills without a suspicion', [accuse('dead', 1, { by: 2 })], 'dead'],
    ['a death said by oneself is a farewell', [accuse('dead', 1, { by: 1 })], 'left'],
    ['the dead stay dead at the same incarnation', [accuse('dead', 1, { by: 2 }), alive(1, 1)], 'dead'],
    ['and come back with a later one', [accuse('dead', 1, { by: 2 }), alive(1, 2)], 'alive'],
    ['who left is not suspected', [accuse('dead', 1, { by: 1 }), accuse('suspect', 1, { by: 2 })], 'left'],
    ['nobody is accused who is not known', [accuse('dead', 9, { by: 2 })], 'alive'],
  ])('%s', (_, messages, expected) => {
    const bench = new Bench({ peers: 3 });
    for (const message of messages) bench.take(message);
    expect(bench.state(1)).toBe(expected);
  });

  it('is a suspicion only when somebody is called dead who answered us a moment ago', () => {
    const bench = new Bench({ peers: 3 });
    while (!only(bench.pass(1), 'ping').some(({ node }) => node === 'n1'));
    bench.take(accuse('dead', 1, { by: 2 }));
    expect(bench.state(1)).toBe('suspect');
    bench.take(accuse('dead', 1, { by: 1 }));
    expect(bench.state(1)).toBe('left');
  });

  it('is told on, and about each member only the latest', () => {
    const bench = new Bench({ peers: 3 });
    bench.pass(2_000);
    bench.take(accuse('suspect', 1, { by: 2 }));
    bench.take(alive(1, 5));
    const sent = bench.pass(100);
    expect(only(sent, 'alive').some(({ node, incarnation }) => node === 'n1' && incarnation === 5)).toBe(
      true,
    );
    expect(only(sent, 'suspect')).toEqual([]);
    bench.pass(2_000);
    expect(only(bench.pass(1_000), 'alive')).toEqual([]);
  });

  it('is contradicted when it is about this member', () => {
    const bench = new Bench({ peers: 2 });
    for (const [message, incarnation, changes] of [
      [accuse('suspect', 0, { by: 1 }), 2, ['accused']],
      [accuse('dead', 0, { by: 1, incarnation: 7 }), 8, ['held-dead', 'accused']],
      [accuse('dead', 0, { by: 0, incarnation: 8 }), 9, ['held-dead', 'accused']],
    ] as const) {
      const sent = bench.take(message);
      expect(bench.incarnation(0)).toBe(incarnation);
      expect(
        only(sent, 'alive').filter((m) => m.node === 'n0' && m.incarnation === incarnation).length,
      ).toBeGreaterThan(0);
      expect(types(bench)).toEqual(changes);
    }
    // Who still repeats the first one has not heard the objection: it is said again, unchanged.
    bench.pass(3_000);
    bench.take(accuse('suspect', 0, { by: 1 }));
    expect(bench.incarnation(0)).toBe(9);
    expect(only(bench.pass(50), 'alive').some((m) => m.node === 'n0' && m.incarnation === 9)).toBe(true);
  });

  it('is told once for each death, also when a suspicion was contradicted before it was heard', () => {
    const bench = new Bench({ peers: 2 });
    bench.take(accuse('suspect', 0, { by: 1 }));
    bench.take(accuse('dead', 0, { by: 1 }));
    expect(types(bench)).toEqual(['held-dead']);
    bench.take(accuse('dead', 0, { by: 2 }));
    expect(types(bench)).toEqual([]);
  });

  it('cannot use up the incarnations', () => {
    const bench = new Bench({ peers: 1 });
    bench.take(accuse('dead', 0, { by: 1, incarnation: 0xffff_ffff }));
    expect([bench.incarnation(0), bench.last.drops]).toEqual([1, ['malformed']]);
  });

  it('does not let in who cannot be spoken to', () => {
    const bench = new Bench();
    const good = alive(1);
    for (const [change, drop] of [
      [{ at: { address: '0.0.0.0', port: 1 } }, 'malformed'],
      [{ at: { address: '224.0.0.1', port: 1 } }, 'malformed'],
      [{ at: { address: 'ff02::1', port: 1 } }, 'malformed'],
      [{ incarnation: 0 }, 'malformed'],
      [{ versions: Uint8Array.of(0, 5, 2) }, 'malformed'],
      [{ versions: Uint8Array.of(3, 5, 4) }, 'incompatible'],
      [{ versions: Uint8Array.of(1, 9, 7) }, 'incompatible'],
    ] as const) {
      bench.take({ ...good, ...change } as typeof good);
      expect(bench.last.drops).toEqual([drop]);
    }
    expect(bench.machine.members()).toHaveLength(1);
  });
});

describe('what a member says about itself', () => {
  const text = (meta: Uint8Array | undefined) => new TextDecoder().decode(meta);
  const saying = (bench: Bench, i: number) =>
    text(bench.machine.members().find(({ name }) => name === `n${i}`)?.meta);

  it('is heard with a later incarnation, and told when it differs', () => {
    const bench = new Bench({ peers: 2 });
    bench.take(described(1, 2, 'x'));
    expect([saying(bench, 1), types(bench)]).toEqual(['x', ['described']]);
    bench.take(described(1, 3, 'x'));
    expect(types(bench)).toEqual([]);
    bench.take(described(1, 3, 'y'));
    expect(saying(bench, 1)).toBe('x');
  });

  it('goes out at once with an incarnation of its own, and is part of each objection', () => {
    const bench = new Bench({ peers: 2 });
    bench.last = bench.machine.describe(bench.now, new TextEncoder().encode('x'));
    const told = only(bench.sent(bench.last), 'alive').map((m) => [m.incarnation, text(m.meta)]);
    expect(told).toEqual([
      [2, 'x'],
      [2, 'x'],
    ]);
    bench.last = bench.machine.describe(bench.now, new TextEncoder().encode('x'));
    expect(only(bench.sent(bench.last), 'alive')).toEqual([]);
    const sent = bench.take(accuse('suspect', 0, { by: 1, incarnation: 2 }));
    expect(only(sent, 'alive').map((m) => [m.incarnation, text(m.meta)])[0]).toEqual([3, 'x']);
  });

  it('replaces what a process before it said', () => {
    const bench = new Bench({ peers: 1 });
    const sent = bench.take(described(0, 4, 'old'));
    expect(only(sent, 'alive').map((m) => [m.incarnation, text(m.meta)])[0]).toEqual([5, '']);
  });
});

describe('a member that is away for a while', () => {
  it('takes part again with a later incarnation, and asks what it has missed', () => {
    const bench = new Bench({ peers: 2 });
    bench.last = bench.machine.leave(bench.now);
    bench.pass(1_000);
    expect([bench.state(0), bench.machine.gone]).toEqual(['left', true]);
    bench.last = bench.machine.comeBack(bench.now);
    expect([bench.state(0), bench.incarnation(0), bench.machine.gone]).toEqual(['alive', 2, false]);
    expect(only(bench.sent(bench.last), 'alive').every(({ incarnation }) => incarnation === 2)).toBe(true);
    expect(bench.last.dials).toHaveLength(1);
    bench.last = bench.machine.comeBack(bench.now);
    expect(bench.incarnation(0)).toBe(2);
  });

  it('is not forgotten as long as it asks others', () => {
    const bench = new Bench({ peers: 2 });
    bench.take(accuse('dead', 1, { by: 1 }));
    for (let i = 0; i < 20; i++) {
      bench.pass(5_000);
      bench.take({ type: 'ping', seq: i, node: 'n0', origin: { node: 'n1', at: at(1) } }, at(1));
    }
    expect(bench.state(1)).toBe('left');
    bench.pass(40_000);
    expect(bench.state(1)).toBeUndefined();
  });
});

describe('a name that two claim', () => {
  const other = at(77);

  it('stays with the one that is known, and that is told once', () => {
    const bench = new Bench({ peers: 2 });
    bench.take(alive(1, 9, other));
    expect(bench.last.changes).toEqual([{ type: 'conflict', name: 'n1', known: at(1), other }]);
    bench.take(alive(1, 10, other));
    expect(bench.last.changes).toEqual([]);
    expect(bench.incarnation(1)).toBe(1);
  });

  it('is told when it is our own', () => {
    const bench = new Bench({ peers: 2 });
    bench.take(alive(0, 9, other));
    expect(bench.last.changes).toEqual([{ type: 'conflict', name: 'n0', known: at(0), other }]);
    expect(bench.incarnation(0)).toBe(1);
  });

  it('is free at once when its owner left, and ten seconds after its death', () => {
    const bench = new Bench({ peers: 3 });
    bench.take(accuse('dead', 1, { by: 1 }));
    bench.take(alive(1, 1, other));
    expect(bench.state(1)).toBe('alive');
    bench.take(accuse('dead', 2, { by: 3 }));
    bench.take(alive(2, 9, other));
    expect(bench.state(2)).toBe('dead');
    bench.pass(11_000, ['n2']);
    bench.take(alive(2, 9, other));
    expect(bench.state(2)).toBe('alive');
  });

  it('is never free by death alone in the lan profile, as upstream', () => {
    const bench = new Bench({ peers: 3, profile: LAN });
    bench.take(accuse('dead', 2, { by: 3 }));
    bench.pass(20_000, ['n2']);
    bench.take(alive(2, 9, other));
    expect(bench.state(2)).toBe('dead');
  });
});

describe('a full exchange', () => {
  const report = (i: number, state: PushPull['reports'][number]['state'], incarnation = 1) => ({
    name: `n${i}`,
    at: at(i),
    meta: new Uint8Array(),
    incarnation,
    state,
    versions: Uint8Array.of(1, 5, 2, 0, 0, 0),
  });
  const push = (...reports: PushPull['reports'][number][]) =>
    encodePushPull({ type: 'push-pull', join: true, reports });

  it('is answered with all that is known, in pieces as it comes', () => {
    const bench = new Bench({ peers: 1 });
    const whole = encodeStream(push(report(5, 'alive')), PLAIN, 'call');
    bench.last = bench.machine.heard(0, 'accepted 1', whole.subarray(0, 20));
    expect(bench.last.replies).toEqual([]);
    bench.last = bench.machine.heard(0, 'accepted 1', whole.subarray(20));
    const [reply] = bench.last.replies;
    const answer = reply && decodeStream(reply.bytes, PLAIN, 'answer');
    expect(answer).toMatchObject({
      type: 'push-pull',
      reports: expect.arrayContaining([
        { ...report(1, 'alive'), meta: expect.anything(), versions: expect.anything() },
      ]),
    });
    expect(bench.last.hangUps).toEqual(['accepted 1']);
    expect(bench.state(5)).toBe('alive');
  });

  it('makes the dead of others suspects only', () => {
    const bench = new Bench({ peers: 3 });
    const all = push(report(1, 'dead'), report(2, 'left'), report(3, 'suspect'), report(4, 'dead'));
    bench.last = bench.machine.heard(0, 'accepted 1', encodeStream(all, PLAIN, 'call'));
    expect([1, 2, 3, 4].map((i) => bench.state(i))).toEqual(['suspect', 'left', 'suspect', undefined]);
  });

  it('is what joining begins with; the answer names the members', () => {
    const bench = new Bench();
    bench.last = bench.machine.join(0, [at(1)]);
    const [dial] = bench.last.dials;
    expect(dial?.to).toEqual(at(1));
    expect(dial && decodeStream(dial.bytes, PLAIN, 'call')).toMatchObject({
      join: true,
      reports: [{ name: 'n0' }],
    });
    const answer = encodeStream(push(report(0, 'alive'), report(1, 'alive')), PLAIN, 'answer');
    bench.last = bench.machine.heard(1, dial?.stream ?? '', answer);
    expect(bench.last.changes).toEqual([{ type: 'joined', name: 'n1', at: at(1) }]);
  });

  it('tells a process that starts again what is known of its former self, which it contradicts', () => {
    const bench = new Bench();
    const answer = encodeStream(push(report(0, 'dead', 6), report(1, 'alive')), PLAIN, 'call');
    bench.last = bench.machine.heard(1, 'accepted 1', answer);
    expect([bench.state(0), bench.incarnation(0)]).toEqual(['alive', 7]);
  });

  it('is dropped when it is none', () => {
    const bench = new Bench();
    bench.last = bench.machine.heard(0, 'accepted 1', bytes(GOLDEN.alive));
    expect([bench.last.drops, bench.last.hangUps]).toEqual([['unknown-type'], ['accepted 1']]);
  });

  it('takes place every 30 seconds in the lan profile', () => {
    const bench = new Bench({ peers: 1, profile: LAN });
    bench.pass(100_000);
    expect(bench.dials.length).toBe(3);
  });
});

describe('a farewell', () => {
  it('is told to others as the death of oneself by oneself, and nothing contradicts it', () => {
    const bench = new Bench({ peers: 3 });
    bench.last = bench.machine.leave(0);
    const farewells = only(bench.sent(bench.last), 'dead');
    expect(farewells.length).toBeGreaterThanOrEqual(3);
    expect(farewells[0]).toMatchObject({ node: 'n0', from: 'n0', incarnation: 1 });
    bench.take(accuse('suspect', 0, { by: 1, incarnation: 5 }));
    expect([bench.state(0), bench.incarnation(0)]).toEqual(['left', 1]);
    expect(bench.machine.gone).toBe(false);
    bench.pass(2_000);
    expect(bench.machine.gone).toBe(true);
    const sent = bench.take({ type: 'ping', seq: 7, node: 'n0' });
    expect(only(sent, 'ack')).toHaveLength(1);
  });
});

describe('a suspicion', () => {
  it('is short when two others agree, and long while nobody does', () => {
    const lonely = new Bench({ peers: 5 });
    lonely.take(accuse('suspect', 1, { by: 2 }));
    // Its own question makes one who agrees.
    lonely.pass(600, ['n1']);
    expect(lonely.state(1)).toBe('suspect');
    lonely.pass(40, ['n1']);
    expect(lonely.state(1)).toBe('dead');
    const agreed = new Bench({ peers: 5 });
    for (const by of [2, 3, 4]) agreed.take(accuse('suspect', 1, { by }));
    agreed.pass(440, ['n1']);
    expect(agreed.state(1)).toBe('suspect');
    agreed.pass(20, ['n1']);
    expect(agreed.state(1)).toBe('dead');
  });

  it('ends in no death as long as the suspect answers', () => {
    const bench = new Bench({ peers: 3 });
    for (const by of [2, 3]) bench.take(accuse('suspect', 1, { by }));
    bench.pass(10_000);
    expect(bench.state(1)).toBe('suspect');
  });

  it('is told to the suspect with each question, so that it can object', () => {
    const bench = new Bench({ peers: 3 });
    bench.take(accuse('suspect', 1, { by: 2 }));
    const sent = bench.pass(300);
    const asked = only(sent, 'ping').filter(({ node }) => node === 'n1');
    const told = only(sent, 'suspect').filter(
      ({ node, to, from }) => node === 'n1' && to === '10.0.0.11:7946' && from === 'n0',
    );
    expect(asked.length).toBeGreaterThan(0);
    expect(told.length).toBeGreaterThanOrEqual(asked.length);
  });

  it('lasts four seconds among three in the lan profile, and nothing shortens it', () => {
    const bench = new Bench({ peers: 2, profile: LAN });
    bench.take(accuse('suspect', 1, { by: 2 }));
    bench.pass(3_990, ['n1']);
    expect(bench.state(1)).toBe('suspect');
    bench.pass(20, ['n1']);
    expect(bench.state(1)).toBe('dead');
  });
});
