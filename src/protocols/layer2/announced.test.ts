import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Address, addressBytes, parseAddress } from '../../domain/ip/address.ts';
import { Announced, type Interfaces, reaches } from './announced.ts';

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(text);
  return parsed;
}
const seven = address('192.0.2.7');
const names = (...all: string[]): Interfaces => new Set(all);

describe('the announced addresses', () => {
  it('finds an IPv4 address by its number and by itself', () => {
    const announced = new Announced();
    expect(announced.claim(seven, 'default/web', 'all')).toBe('new');
    expect(announced.ipv4(0xc0000207)?.text).toBe('192.0.2.7');
    expect(announced.get(seven)?.text).toBe('192.0.2.7');
    expect(announced.ipv4(0xc0000208)).toBeUndefined();
  });

  it('holds IPv6 addresses without mistaking them for IPv4 ones', () => {
    const announced = new Announced();
    announced.claim(address('::c000:207'), 'default/web', 'all');
    expect(announced.size).toBe(1);
    expect(announced.ipv4(0xc0000207)).toBeUndefined();
  });

  it('finds an IPv6 address by its bytes, wherever in a frame they stand', () => {
    const announced = new Announced();
    announced.claim(address('2001:db8::7'), 'default/web', 'all');
    const frame = new Uint8Array(40);
    frame.set(addressBytes(address('2001:db8::7')), 5);
    expect(announced.ipv6(frame, 5)?.text).toBe('2001:db8::7');
    expect(announced.ipv6(frame, 4)).toBeUndefined();
    announced.release(address('2001:db8::7'), 'default/web');
    expect(announced.ipv6(frame, 5)).toBeUndefined();
  });

  it('tells IPv6 addresses apart whatever they share, after any sequence of claims and releases', () => {
    // Few values per word, so that many addresses fold to one number.
    const words = fc.array(fc.constantFrom(0, 1, 31, 0x1f, 0xffe1), { minLength: 8, maxLength: 8 });
    const bits = words.map((all) => all.reduce((sum, word) => (sum << 16n) | BigInt(word), 0n));
    fc.assert(
      fc.property(fc.array(fc.tuple(bits, fc.boolean()), { maxLength: 60 }), (steps) => {
        const announced = new Announced();
        const model = new Set<bigint>();
        for (const [value, release] of steps) {
          const at: Address = { family: 'IPv6', bits: value };
          if (release) announced.release(at, 'a');
          else announced.claim(at, 'a', 'all');
          if (release) model.delete(value);
          else model.add(value);
        }
        for (const [value] of steps) {
          const found = announced.ipv6(addressBytes({ family: 'IPv6', bits: value }), 0);
          expect(found?.address.bits).toBe(model.has(value) ? value : undefined);
        }
      }),
    );
  });

  it('tells two IPv6 addresses apart that fold to the same number', () => {
    // 31 * 1 + 0 and 31 * 0 + 31 in the last two words.
    const [one, two] = [address('2001:db8::1:0:0'), address('2001:db8::1f')];
    const announced = new Announced();
    announced.claim(one, 'a', 'all');
    announced.claim(two, 'a', 'all');
    expect(announced.ipv6(addressBytes(one), 0)?.text).toBe('2001:db8::1:0:0');
    expect(announced.ipv6(addressBytes(two), 0)?.text).toBe('2001:db8::1f');
    announced.release(one, 'a');
    expect(announced.ipv6(addressBytes(one), 0)).toBeUndefined();
    expect(announced.ipv6(addressBytes(two), 0)?.text).toBe('2001:db8::1f');
  });

  it('keeps a shared address until the last Service gives it up', () => {
    const announced = new Announced();
    announced.claim(seven, 'a/one', 'all');
    announced.claim(seven, 'a/two', 'all');
    expect(announced.release(seven, 'a/one')).toBe(false);
    expect(announced.ipv4(0xc0000207)).toBeDefined();
    expect(announced.release(seven, 'a/two')).toBe(true);
    expect(announced.ipv4(0xc0000207)).toBeUndefined();
    expect(announced.size).toBe(0);
  });

  it('does not count a release by a Service that never claimed', () => {
    const announced = new Announced();
    announced.claim(seven, 'a/one', 'all');
    expect(announced.release(seven, 'a/other')).toBe(false);
    expect(announced.release(address('192.0.2.8'), 'a/one')).toBe(false);
    expect(announced.size).toBe(1);
  });

  it('says how a claim changes the interfaces', () => {
    const announced = new Announced();
    expect(announced.claim(seven, 'a/one', names('eth0'))).toBe('new');
    expect(announced.claim(seven, 'a/one', names('eth0'))).toBe('same');
    expect(announced.claim(seven, 'a/one', names('eth0', 'eth1'))).toBe('widened');
    expect(announced.claim(seven, 'a/one', names('eth1'))).toBe('narrowed');
    expect(announced.claim(seven, 'a/one', names('eth0'))).toBe('widened');
    expect(announced.claim(seven, 'a/one', 'all')).toBe('widened');
    expect(announced.claim(seven, 'a/one', 'all')).toBe('same');
    expect(announced.claim(seven, 'a/one', names('eth0'))).toBe('narrowed');
  });

  it('is on the union of the interfaces of its Services', () => {
    const announced = new Announced();
    announced.claim(seven, 'a/one', names('eth0'));
    announced.claim(seven, 'a/two', names('eth1'));
    const on = (name: string) => reaches(announced.get(seven)?.interfaces ?? names(), name);
    expect([on('eth0'), on('eth1'), on('eth2')]).toEqual([true, true, false]);
    announced.claim(seven, 'a/three', 'all');
    expect(on('eth2')).toBe(true);
    announced.release(seven, 'a/three');
    announced.release(seven, 'a/one');
    expect([on('eth0'), on('eth1'), on('eth2')]).toEqual([false, true, false]);
  });

  it('agrees with a plain list of claims after any sequence of claims and releases', () => {
    const claim = fc.record({
      ip: fc.nat(3),
      service: fc.constantFrom('a', 'b', 'c'),
      release: fc.boolean(),
      on: fc.constantFrom<Interfaces>('all', names('eth0'), names('eth1')),
    });
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 40 }), (steps) => {
        const announced = new Announced();
        const model = new Map<string, Interfaces>();
        for (const { ip, service, release, on } of steps) {
          const at: Address = { family: 'IPv4', bits: BigInt(ip) };
          if (release) {
            announced.release(at, service);
            model.delete(`${ip} ${service}`);
          } else {
            announced.claim(at, service, on);
            model.set(`${ip} ${service}`, on);
          }
        }
        for (let ip = 0; ip <= 3; ip++) {
          const held = [...model].filter(([key]) => key.startsWith(`${ip} `)).map(([, on]) => on);
          const found = announced.ipv4(ip);
          expect(found !== undefined).toBe(held.length > 0);
          for (const name of ['eth0', 'eth1']) {
            expect(found !== undefined && reaches(found.interfaces, name)).toBe(
              held.some((on) => reaches(on, name)),
            );
          }
        }
      }),
    );
  });
});
