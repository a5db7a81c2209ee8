import { describe, expect, it } from 'vitest';
import { type Facts, runFilter } from './filter.rig.ts';
import { arpFrames, encodeFilter, neighbourDiscovery } from './filter.ts';

const host: Facts = { packetType: 0, vlanTag: false };
const mac = (byte: number) => Array<number>(6).fill(byte);

/** A request for 192.0.2.7 by 192.0.2.1, with bytes overwritten from an offset on. */
function frame(change: { readonly at: number; readonly bytes: readonly number[] }[] = []): Uint8Array {
  const bytes = Uint8Array.from([
    ...mac(0xff),
    ...mac(2),
    0x08,
    0x06, // Ethernet
    0,
    1,
    8,
    0,
    6,
    4,
    0,
    1, // Ethernet, IPv4, lengths, request
    ...mac(2),
    192,
    0,
    2,
    1,
    ...mac(0),
    192,
    0,
    2,
    7,
  ]); // prettier-ignore
  for (const { at, bytes: patch } of change) bytes.set(patch, at);
  return bytes;
}

describe('the kernel filter for ARP', () => {
  it('lets a broadcast and a unicast request pass', () => {
    expect(runFilter(arpFrames, frame(), host)).toBeGreaterThanOrEqual(42);
    expect(runFilter(arpFrames, frame(), { ...host, packetType: 1 })).toBeGreaterThanOrEqual(42);
  });

  it('drops what is for another host or for a group', () => {
    expect(runFilter(arpFrames, frame(), { ...host, packetType: 2 })).toBe(0);
    expect(runFilter(arpFrames, frame(), { ...host, packetType: 3 })).toBe(0);
  });

  it('drops a frame of a VLAN that has no interface here', () => {
    expect(runFilter(arpFrames, frame(), { ...host, vlanTag: true })).toBe(0);
  });

  it('lets replies for everybody and for this host pass: somebody may have an address of ours', () => {
    const reply = frame([{ at: 20, bytes: [0, 2] }]);
    expect(runFilter(arpFrames, reply, { ...host, packetType: 1 })).toBeGreaterThanOrEqual(42);
    expect(runFilter(arpFrames, reply, host)).toBeGreaterThanOrEqual(42);
    expect(runFilter(arpFrames, reply, { ...host, packetType: 3 })).toBe(0);
  });

  it('drops other operations, foreign hardware, foreign protocols and odd address lengths', () => {
    for (const change of [
      { at: 20, bytes: [0, 3] },
      { at: 20, bytes: [1, 1] },
      { at: 14, bytes: [0, 6] },
      { at: 16, bytes: [0x86, 0xdd] },
      { at: 18, bytes: [8] },
      { at: 19, bytes: [16] },
    ]) {
      expect(runFilter(arpFrames, frame([change]), host)).toBe(0);
    }
  });

  it('drops a frame that ends within the words it looks at', () => {
    expect(runFilter(arpFrames, frame().subarray(0, 21), host)).toBe(0);
  });
});

/** A solicitation for 2001:db8::7 by a Linux kernel, with bytes overwritten from an offset on. */
function solicitation(at = 0, ...patch: number[]): Uint8Array {
  const bytes = Buffer.from(
    '3333ff00000702000000000186dd6000000000203aff20010db80000000000000000000000feff0200000000000000000001' +
      'ff00000787001b200000000020010db80000000000000000000000070101020000000001',
    'hex',
  );
  bytes.set(patch, at);
  return bytes;
}

describe('the kernel filter for neighbour discovery', () => {
  const group: Facts = { packetType: 2, vlanTag: false };

  it('lets a question to a group, and one to this host, pass whole', () => {
    expect(runFilter(neighbourDiscovery, solicitation(), group)).toBe(1_514);
    expect(runFilter(neighbourDiscovery, solicitation(), host)).toBe(1_514);
  });

  it('lets an advertisement pass: somebody may have an address of ours', () => {
    expect(runFilter(neighbourDiscovery, solicitation(54, 136), group)).toBe(1_514);
    expect(runFilter(neighbourDiscovery, solicitation(54, 136), { ...group, packetType: 3 })).toBe(0);
  });

  it('drops what is for everybody on Ethernet, for another host, or of a VLAN that has no interface here', () => {
    for (const facts of [{ packetType: 1 }, { packetType: 3 }, { packetType: 4 }, { vlanTag: true }]) {
      expect(runFilter(neighbourDiscovery, solicitation(), { ...group, ...facts })).toBe(0);
    }
  });

  it.each([
    ['what a router has forwarded', 21, 254],
    ['another next header', 20, 17],
    ['a redirect', 54, 137],
    ['a router solicitation', 54, 133],
    ['another code', 55, 1],
  ])('drops %s', (_, at, value) => {
    expect(runFilter(neighbourDiscovery, solicitation(at, value), group)).toBe(0);
  });

  it('drops a frame that ends before the type of its message', () => {
    expect(runFilter(neighbourDiscovery, solicitation().subarray(0, 55), group)).toBe(0);
  });
});

describe('a program', () => {
  it('is encoded in eight little-endian bytes an instruction', () => {
    expect([...encodeFilter([{ code: 0x15, jt: 1, jf: 2, k: 0x0102_0304 }])]).toEqual([
      0x15, 0, 1, 2, 4, 3, 2, 1,
    ]);
    expect(encodeFilter(arpFrames)).toHaveLength(arpFrames.length * 8);
  });
});
