const MINE = '020000000001';
const ASKER = '020000000002';
const ALL = 'ffffffffffff';
const PADDING = '0'.repeat(32);
const arp = (to: string, rest: string) => `${to}${ASKER}08060001080006040001${ASKER}${rest}`;
const LINK_LOCAL = 'fe80000000000000000000fffe000002';
const NOBODY = '0'.repeat(32);
/** ICMPv6 between those, with its length. */
const icmp = (to: string, { length, from }: { length: string; from: string }, rest: string) =>
  `${to}${ASKER}86dd60000000${length}3aff${from}${rest}`;
const SOLICITED = 'ff0200000000000000000001ff0000';
const V6 = '20010db80000000000000000000000';

/**
 * Frames that 02:00:00:00:00:02 (192.0.2.254, 2001:db8::fe) sent to the lab's network, Linux 6.18 and Debian's arping and ndisc6, by
 * the command that made it send them; the interface that hears them is 02:00:00:00:00:01.
 */
export const recorded = {
  'arping 192.0.2.7': arp(ALL, `c00002fe000000000000c0000207${PADDING}`),
  'arping -0 192.0.2.7, from nobody': arp(ALL, `00000000000000000000c0000207${PADDING}`),
  'arping -U, that it has 192.0.2.7': arp(ALL, `c0000207${ALL}c0000207${PADDING}`),
  'arping -P -U, the same as a reply': `${ALL}${ASKER}08060001080006040002${ASKER}c0000207${ALL}c0000207${PADDING}`,
  'ping 192.0.2.7': arp(ALL, 'c00002fe000000000000c0000207'),
  'ping 192.0.2.7, a stale neighbour': arp(MINE, 'c00002fe000000000000c0000207'),
  'arping 192.0.2.9': arp(ALL, `c00002fe000000000000c0000209${PADDING}`),
  'ndisc6 2001:db8::7': `3333ff000007${ASKER}86dd60000b3d00203aff${LINK_LOCAL}${SOLICITED}0787004c5300000000${V6}070101${ASKER}`,
  'ip address add 2001:db8::7': icmp(
    '3333ff000007',
    { length: '0020', from: NOBODY },
    `${SOLICITED}078700eadf00000000${V6}070e018351c65b0a4b`,
  ),
  'ip link set up, its own address': icmp(
    '3333ff000002',
    { length: '0020', from: NOBODY },
    `${SOLICITED}028700d7a500000000${LINK_LOCAL}0e012f2980a1e7a9`,
  ),
  'ip link set up, ndisc_notify': icmp(
    '333300000001',
    { length: '0020', from: LINK_LOCAL },
    `ff0200000000000000000000000000018800599820000000${LINK_LOCAL}0201${ASKER}`,
  ),
  'ip link set up, asking for routers': icmp(
    '333300000002',
    { length: '0010', from: LINK_LOCAL },
    `ff02000000000000000000000000000285007b2a000000000101${ASKER}`,
  ),
  'ip link set up, groups that it is in': `333300000016${ASKER}86dd6000000000240001${LINK_LOCAL}ff0200000000000000000000000000163a000502000001008f0072050000000104000000ff0200000000000000000001ff000002`,
} as const;

export type Recorded = keyof typeof recorded;

export const frameOf = (what: Recorded): Uint8Array => new Uint8Array(Buffer.from(recorded[what], 'hex'));
export const HEARD_BY: Uint8Array = new Uint8Array(Buffer.from(MINE, 'hex'));
export const SENT_BY: Uint8Array = new Uint8Array(Buffer.from(ASKER, 'hex'));
