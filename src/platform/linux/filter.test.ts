import { describe, expect, it } from 'vitest';
import { type Facts, runFilter } from './filter.rig.ts';
import { arpRequests, encodeFilter } from './filter.ts';

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

describe('the kernel filter for ARP requests', () => {
  it('lets a broadcast and a unicast request pass', () => {
    expect(runFilter(arpRequests, frame(), host)).toBeGreaterThanOrEqual(42);
    expect(runFilter(arpRequests, frame(), { ...host, packetType: 1 })).toBeGreaterThanOrEqual(42);
  });

  it('drops what is for another host or for a group', () => {
    expect(runFilter(arpRequests, frame(), { ...host, packetType: 2 })).toBe(0);
    expect(runFilter(arpRequests, frame(), { ...host, packetType: 3 })).toBe(0);
  });

  it('drops a frame of a VLAN that has no interface here', () => {
    expect(runFilter(arpRequests, frame(), { ...host, vlanTag: true })).toBe(0);
  });

  it('drops replies, foreign hardware, foreign protocols and odd address lengths', () => {
    for (const change of [
      { at: 20, bytes: [0, 2] },
      { at: 14, bytes: [0, 6] },
      { at: 16, bytes: [0x86, 0xdd] },
      { at: 18, bytes: [8] },
      { at: 19, bytes: [16] },
    ]) {
      expect(runFilter(arpRequests, frame([change]), host)).toBe(0);
    }
  });

  it('drops a frame that ends within the words it looks at', () => {
    expect(runFilter(arpRequests, frame().subarray(0, 21), host)).toBe(0);
  });

  it('encodes eight little-endian bytes an instruction', () => {
    expect([...encodeFilter([{ code: 0x15, jt: 1, jf: 2, k: 0x0102_0304 }])]).toEqual([
      0x15, 0, 1, 2, 4, 3, 2, 1,
    ]);
    expect(encodeFilter(arpRequests)).toHaveLength(arpRequests.length * 8);
  });
});
