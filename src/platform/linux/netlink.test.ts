import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressMessage, attribute, linkMessage, message } from './netlink.rig.ts';
import { dumpAddresses, dumpLinks, readLinks } from './netlink.ts';

describe('route netlink', () => {
  it('reads name, address, flags, master and kind of a link', () => {
    const [first] = readLinks(
      linkMessage({
        index: 7,
        name: 'tsp0',
        mac: [2, 0, 0, 0, 0, 7],
        flags: 0x1_1003,
        master: 9,
        kind: 'veth',
      }),
    );
    expect(first).toEqual({
      type: 'link',
      sequence: 0,
      link: {
        index: 7,
        name: 'tsp0',
        mac: Uint8Array.from([2, 0, 0, 0, 0, 7]),
        up: true,
        carrier: true,
        broadcast: true,
        loopback: false,
        noArp: false,
        master: 9,
        kind: 'veth',
      },
    });
  });

  it('takes several messages of one datagram, padded to four bytes', () => {
    const two = Buffer.concat([
      linkMessage({ index: 1, name: 'lo', mac: [], flags: 0x9 }),
      linkMessage({ index: 2, name: 'eth0', mac: [2, 0, 0, 0, 0, 1], flags: 0x83 }),
    ]);
    expect(readLinks(two).map((m) => (m.type === 'link' ? [m.link.name, m.link.noArp] : m.type))).toEqual([
      ['lo', false],
      ['eth0', true],
    ]);
  });

  it('ignores what a bridge says about its ports, above all that a port is gone', () => {
    expect(readLinks(linkMessage({ index: 7, name: 'tsp0', mac: [], flags: 1, family: 7 }))).toEqual([]);
    expect(
      readLinks(linkMessage({ index: 7, name: 'tsp0', mac: [], flags: 1, family: 7, type: 17 })),
    ).toEqual([]);
  });

  it('tells a link that is gone, the end of a dump, an interrupted one and an error apart', () => {
    expect(readLinks(linkMessage({ index: 7, name: 'x', mac: [], flags: 0, type: 17 }))).toEqual([
      { type: 'gone', sequence: 0, index: 7 },
    ]);
    expect(readLinks(message({ type: 3, sequence: 5, body: [0, 0, 0, 0] }))).toEqual([
      { type: 'done', sequence: 5 },
    ]);
    expect(readLinks(message({ type: 3, sequence: 5, flags: 0x10, body: [0, 0, 0, 0] }))).toEqual([
      { type: 'interrupted', sequence: 5 },
    ]);
    expect(readLinks(message({ type: 2, sequence: 5, body: [0xf0, 0xff, 0xff, 0xff] }))).toEqual([
      { type: 'error', sequence: 5, errno: 16 },
    ]);
  });

  it('reads addresses that come and go, and none of a family that it does not know', () => {
    const address = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    const six = '20010db8000000000000000000000007';
    const read = { type: 'address', sequence: 0, index: 7, address: six, prefix: 64 };
    expect(readLinks(addressMessage({ index: 7, address }))).toEqual([{ ...read, gone: false }]);
    expect(readLinks(addressMessage({ index: 7, address, type: 21 }))).toEqual([{ ...read, gone: true }]);
    // Duplicate address detection failed (IFA_F_DADFAILED).
    expect(readLinks(addressMessage({ index: 7, address, flags: 0x88 }))).toEqual([{ ...read, gone: true }]);
    const four = { index: 7, address: [192, 0, 2, 7], family: 2, prefix: 24 };
    expect(readLinks(addressMessage(four))).toEqual([
      { ...read, address: 'c0000207', prefix: 24, gone: false },
    ]);
    expect(readLinks(addressMessage({ ...four, family: 7 }))).toEqual([]);
    // As long as the other family's.
    expect(readLinks(addressMessage({ ...four, family: 10 }))).toEqual([]);
  });

  it('takes the own address of a link between two hosts, not the other end', () => {
    const own = attribute(2, [192, 0, 2, 7]);
    const four = { index: 7, address: [192, 0, 2, 8], family: 2, prefix: 31, more: own };
    expect(readLinks(addressMessage(four))).toMatchObject([{ address: 'c0000207', prefix: 31 }]);
  });

  it.each([
    ['unknown, as of links that do not tell', 0, true],
    ['up', 6, true],
    ['down', 2, false],
    ['lower layer down, as of a VLAN', 3, false],
    ['dormant, as before a port is let in', 5, false],
  ])(
    'takes a link whose operational state is %s for one with a carrier or without',
    (_, operstate, carrier) => {
      const link = linkMessage({
        index: 7,
        name: 'eth0',
        mac: [2, 0, 0, 0, 0, 7],
        flags: 0x1_1043,
        operstate,
      });
      expect(readLinks(link)).toMatchObject([{ link: { carrier } }]);
    },
  );

  it('asks for all addresses', () => {
    const bytes = dumpAddresses(77);
    const view = new DataView(bytes.buffer);
    expect([view.getUint32(0, true), view.getUint16(4, true), view.getUint32(8, true), bytes[16]]).toEqual([
      24, 22, 77, 0,
    ]);
  });

  it('leaves out a link without a name and messages about other things', () => {
    expect(readLinks(message({ type: 16, sequence: 0, body: Array<number>(16).fill(0) }))).toEqual([]);
    expect(readLinks(message({ type: 20, sequence: 0, body: Array<number>(16).fill(0) }))).toEqual([]);
  });

  it('stops at an attribute whose length is a lie', () => {
    const body = [...Array<number>(16).fill(0), ...attribute(3, [97, 0]), 200, 0, 1, 0, 1, 2];
    const [only] = readLinks(message({ type: 16, sequence: 0, body }));
    expect(only).toMatchObject({ type: 'link', link: { name: 'a', mac: new Uint8Array(0) } });
  });

  it('asks for all links with the sequence it was given', () => {
    const view = new DataView(dumpLinks(77).buffer);
    expect([
      view.getUint32(0, true),
      view.getUint16(4, true),
      view.getUint16(6, true),
      view.getUint32(8, true),
    ]).toEqual([32, 18, 0x301, 77]);
  });

  it('never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(Array.isArray(readLinks(bytes))).toBe(true);
      }),
    );
    const good = linkMessage({ index: 7, name: 'tsp0', mac: [2, 0, 0, 0, 0, 7], flags: 3, kind: 'veth' });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, cut) => {
        const bytes = Uint8Array.from(good).subarray(0, cut);
        if (at < bytes.length) bytes[at] = value;
        expect(readLinks(bytes).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
