import { beforeEach, describe, expect, it } from 'vitest';
import { type Address, formatAddress, parseAddress } from '../../../domain/ip/address.ts';
import { VirtualClock } from '../../../platform/obs/clock.rig.ts';
import { Announced } from '../../../protocols/layer2/announced.ts';
import { Handover } from './handover.ts';

const address = (text: string): Address => {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(text);
  return parsed;
};
const seven = address('192.0.2.7');
const eight = address('2001:db8::8');
const LIMIT_MS = 500;
const other = Uint8Array.of(2, 0, 0, 0, 0, 1);
const third = Uint8Array.of(2, 0, 0, 0, 0, 2);

let clock: VirtualClock;
let announced: Announced;
let done: string[];
let handover: Handover;

beforeEach(() => {
  clock = new VirtualClock();
  announced = new Announced();
  done = [];
  handover = new Handover({
    clock,
    limitMs: () => LIMIT_MS,
    onTaken: (key) => done.push(`taken ${key}`),
    announcer: {
      announcement: (text) => announced.byText(text),
      hush: (a) => done.push(`hush ${formatAddress(a)}`),
      setSilent: (text, silent) => done.push(`${silent ? 'silent' : 'loud'} ${text}`),
      ask: (a) => done.push(`ask ${formatAddress(a)}`),
    },
  });
  announced.claim(seven, 'web', 'all');
  announced.claim(eight, 'web', 'all');
});

/** What was done since the last call. */
const told = () => done.splice(0);

/** Somebody tells everybody of the address. */
const tell = (address: Address, mac = other) => handover.seen({ address, mac, direct: false });
/** Somebody answers for the address: of IPv6 everybody, of IPv4 who asked. */
const answer = (address: Address, mac = other) =>
  handover.seen({ address, mac, direct: address.family === 'IPv4' });
const takeOver = (one: Address) => {
  tell(one);
  answer(one);
};

describe('an address that another node won', () => {
  it('is asked for as soon as it is told of, falls silent with the answer, and its Service is over with the last of them', () => {
    expect(handover.wait('web', [seven, eight])).toBe(LIMIT_MS);
    expect(told()).toEqual(['hush 192.0.2.7', 'hush 2001:db8::8']);
    tell(seven);
    expect(told()).toEqual(['ask 192.0.2.7']);
    answer(seven);
    expect(told()).toEqual(['silent 192.0.2.7']);
    takeOver(eight);
    expect(told()).toEqual(['ask 2001:db8::8', 'silent 2001:db8::8', 'taken web']);
    expect(handover.wait('web', [seven, eight])).toBe(0);
  });

  it('is answered for on while the other one only tells of it, in as many frames as it likes', async () => {
    handover.wait('web', [seven]);
    for (let frame = 0; frame < 3; frame++) tell(seven);
    expect(told()).toEqual(['hush 192.0.2.7', 'ask 192.0.2.7']);
    await clock.advance(100);
    expect(told()).toEqual(['ask 192.0.2.7']);
    expect(handover.wait('web', [seven])).toBe(LIMIT_MS - 100);
  });

  it('falls silent at once when the other one answers before it tells', () => {
    handover.wait('web', [seven]);
    answer(seven);
    expect(told()).toEqual(['hush 192.0.2.7', 'silent 192.0.2.7', 'taken web']);
  });

  it('of IPv6 is no more than told of by the first frame, whoever asked for it', async () => {
    handover.wait('web', [eight]);
    await clock.advance(100);
    expect(told()).toEqual(['hush 2001:db8::8', 'ask 2001:db8::8']);
    answer(eight);
    expect(told()).toEqual(['ask 2001:db8::8']);
    answer(eight);
    expect(told()).toEqual(['silent 2001:db8::8', 'taken web']);
  });

  it('is asked for while nothing is heard, and given up after the time', async () => {
    handover.wait('web', [seven, eight]);
    takeOver(eight);
    told();
    for (const at of [100, 200, 300, 400]) {
      await clock.advance(100);
      expect([handover.wait('web', [seven, eight]), told()]).toEqual([LIMIT_MS - at, ['ask 192.0.2.7']]);
    }
    await clock.advance(100);
    expect(handover.wait('web', [seven, eight])).toBe(0);
    handover.end('web', [seven, eight]);
    told();
    await clock.advance(1_000);
    expect([told(), clock.timers]).toEqual([[], 0]);
  });

  it('is not given up as long as others are taken over, one after another', async () => {
    const many = Array.from({ length: 10 }, (_, i) => address(`192.0.2.${100 + i}`));
    for (const one of many) {
      announced.claim(one, formatAddress(one), 'all');
      handover.wait(formatAddress(one), [one]);
    }
    handover.wait('web', [seven]);
    for (const one of many) {
      await clock.advance(LIMIT_MS - 10);
      takeOver(one);
      expect(handover.heardAt).toBe(clock.now());
      expect(handover.wait('web', [seven])).toBe(LIMIT_MS);
    }
    await clock.advance(LIMIT_MS);
    expect(handover.wait('web', [seven])).toBe(0);
  });

  it('is asked for with others in small groups while nobody tells of them', async () => {
    const many = Array.from({ length: 70 }, (_, i) => address(`192.0.2.${100 + i}`));
    for (const one of many) announced.claim(one, 'many', 'all');
    handover.wait('many', many);
    const asked: number[] = [];
    told();
    for (const ms of [100, 20, 20, 20]) {
      await clock.advance(ms);
      asked.push(told().length);
    }
    expect(asked).toEqual([32, 32, 6, 0]);
    handover.close();
    expect(clock.timers).toBe(0);
  });

  it('is asked for at once when another node was seen with it a moment ago, which may have heard first', async () => {
    tell(seven);
    expect(told()).toEqual([]);
    await clock.advance(LIMIT_MS - 1);
    handover.wait('web', [seven, eight]);
    expect(told()).toEqual(['hush 192.0.2.7', 'ask 192.0.2.7', 'hush 2001:db8::8']);
    answer(seven);
    expect(told()).toEqual(['silent 192.0.2.7']);
    handover.end('web', [seven, eight]);
    tell(seven);
    await clock.advance(LIMIT_MS);
    handover.wait('web', [seven]);
    expect(told()).toEqual(['hush 192.0.2.7']);
  });

  it('stays as long as another Service holds it here', () => {
    announced.claim(seven, 'mail', 'all');
    handover.wait('web', [seven]);
    takeOver(seven);
    expect(told()).toEqual(['hush 192.0.2.7']);
    handover.wait('mail', [seven]);
    expect(told()).toEqual(['hush 192.0.2.7', 'ask 192.0.2.7']);
    answer(seven);
    expect(told()).toEqual(['silent 192.0.2.7', 'taken web', 'taken mail']);
  });

  it('begins anew when it was ours again in between', async () => {
    handover.wait('web', [seven]);
    takeOver(seven);
    expect([handover.end('web', [seven]), handover.end('web', [seven])]).toEqual([true, false]);
    told();
    await clock.advance(LIMIT_MS);
    expect([handover.wait('web', [seven]), told()]).toEqual([LIMIT_MS, ['hush 192.0.2.7']]);
  });

  it('falls silent with all that the other one told of, when it answers for the first of them', async () => {
    const many = Array.from({ length: 5 }, (_, i) => address(`192.0.2.${100 + i}`));
    const [first = seven, second = seven, ofThird = seven, untold = seven, later = seven] = many;
    for (const one of many) announced.claim(one, formatAddress(one), 'all');
    for (const one of many) handover.wait(formatAddress(one), [one]);
    handover.wait('web', [eight]);
    told();
    tell(first);
    tell(second);
    tell(ofThird, third);
    tell(eight);
    expect(told()).toEqual(['ask 192.0.2.100', 'ask 192.0.2.102', 'ask 2001:db8::8']);
    answer(first);
    const gone = (ip: string) => [`silent ${ip}`, `taken ${ip}`];
    expect(told()).toEqual([...gone('192.0.2.100'), ...gone('192.0.2.101')]);
    // It has shown that it answers.
    await clock.advance(99);
    tell(later);
    expect(told()).toEqual(gone('192.0.2.104'));
    answer(ofThird, third);
    expect(told()).toEqual(gone('192.0.2.102'));
    await clock.advance(500);
    told();
    tell(untold);
    expect(told()).toEqual(['ask 192.0.2.103']);
  });

  it('is asked for itself when the answer for another one does not come', async () => {
    const nine = address('192.0.2.9');
    announced.claim(nine, 'web', 'all');
    handover.wait('web', [seven, nine]);
    told();
    tell(seven);
    tell(nine);
    expect(told()).toEqual(['ask 192.0.2.7']);
    await clock.advance(100);
    expect(told()).toEqual(['ask 192.0.2.7', 'ask 192.0.2.9']);
    answer(nine);
    expect(told()).toEqual(['silent 192.0.2.9', 'silent 192.0.2.7', 'taken web']);
  });

  it('is nobody else when it is none of ours', () => {
    tell(address('192.0.2.99'));
    expect(told()).toEqual([]);
  });
});
