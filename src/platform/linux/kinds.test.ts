import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { yieldToLoop } from '../obs/clock.ts';
import { LinkWatch } from './links.ts';
import { attribute, type LinkSpec, linkMessage, message } from './netlink.rig.ts';
import type { Link } from './netlink.ts';
import { recorded } from './records.rig.ts';
import { FakeSockets } from './sockets.rig.ts';

/** A watch whose kernel is the test: what it knows of each link, and how often it told of a change. */
function begin() {
  const sockets = new FakeSockets();
  let told = 0;
  let links: ReadonlyMap<number, Link> = new Map();
  new LinkWatch({
    sockets,
    clock: new VirtualClock(),
    onChange: (all) => {
      told++;
      links = all;
    },
    onTrouble: (error) => {
      throw error;
    },
  });
  return {
    async hear(...datagrams: Uint8Array[]) {
      sockets.wake(0, ...datagrams);
      await yieldToLoop();
    },
    get told() {
      return told;
    },
    /** name, kind, up, carrier, IPv6, name of the master. */
    get shown(): Readonly<Record<string, string>> {
      return Object.fromEntries(
        [...links.values()].map((link) => [
          link.name,
          [
            link.kind ?? 'physical',
            link.up ? 'up' : 'down',
            link.carrier ? 'carrier' : 'no carrier',
            ...(link.ipv6 ? ['IPv6'] : []),
            ...(link.master === undefined ? [] : [`part of ${links.get(link.master)?.name}`]),
          ].join(', '),
        ]),
      );
    },
    mac: (name: string) => [...links.values()].find((link) => link.name === name)?.mac.at(-1),
  };
}

describe('what a kernel sent', () => {
  const LONE = { lo: 'physical, up, carrier, IPv6', peer0: 'veth, up, carrier, IPv6' };
  const BRIDGED = { ...LONE, lan0: 'veth, up, carrier, IPv6, part of br0' };
  const PEER_DOWN = { lo: LONE.lo, peer0: 'veth, down, no carrier' };
  /** From each command on. */
  const WANTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'dump links': {},
    'dump addresses': { ...LONE, lan0: 'veth, up, carrier, IPv6' },
    'ip link add br0 address 02:00:00:00:00:03 type bridge': {
      ...LONE,
      lan0: 'veth, up, carrier, IPv6',
      br0: 'bridge, down, no carrier',
    },
    'ip link set lan0 master br0': { ...BRIDGED, br0: 'bridge, down, no carrier' },
    'ip link set br0 up': { ...BRIDGED, br0: 'bridge, up, no carrier' },
    'duplicate address detection ends': { ...BRIDGED, br0: 'bridge, up, carrier, IPv6' },
    'ip link set peer0 down': {
      ...PEER_DOWN,
      lan0: 'veth, up, no carrier, IPv6, part of br0',
      br0: 'bridge, up, carrier, IPv6',
    },
    'ip link set peer0 up': {
      ...BRIDGED,
      peer0: 'veth, up, carrier',
      br0: 'bridge, up, carrier, IPv6',
    },
    'ip link set lan0 nomaster': {
      ...LONE,
      peer0: 'veth, up, carrier',
      lan0: 'veth, up, carrier, IPv6',
      br0: 'bridge, up, no carrier, IPv6',
    },
    'ip link set br0 down': {
      ...LONE,
      peer0: 'veth, up, carrier',
      lan0: 'veth, up, carrier, IPv6',
      br0: 'bridge, down, no carrier',
    },
    'ip link set br0 name office': {
      ...LONE,
      peer0: 'veth, up, carrier',
      lan0: 'veth, up, carrier, IPv6',
      office: 'bridge, down, no carrier',
    },
    'ip link delete office': { ...LONE, peer0: 'veth, up, carrier', lan0: 'veth, up, carrier, IPv6' },
    'ip link add link lan0 name mac0 address 02:00:00:00:00:04 type macvlan': {
      ...LONE,
      peer0: 'veth, up, carrier',
      lan0: 'veth, up, carrier, IPv6',
      mac0: 'macvlan, down, no carrier',
    },
    'ip link delete peer0': { lo: LONE.lo },
  };

  it('is followed through a bridge that comes, is renamed and goes, with its port', async () => {
    const watch = begin();
    for (const [command, datagrams] of recorded()) {
      await watch.hear(...datagrams);
      expect([command, watch.shown]).toEqual([command, WANTED[command]]);
    }
  });
});

const UP = 0x1_1043;
/** IFF_UP and the rest, without IFF_LOWER_UP: what lies below has no carrier. */
const UP_ALONE = 0x1003;
const done = (sequence: number) => message({ type: 3, sequence, body: [0, 0, 0, 0] });
const mac = (last: number) => [2, 0, 0, 0, 0, last];

describe('links of other kinds', () => {
  const start = async (...links: LinkSpec[]) => {
    const watch = begin();
    await watch.hear(...links.map((link) => linkMessage({ ...link, sequence: 1 })), done(1), done(2));
    return watch;
  };
  const eth0: LinkSpec = { index: 2, name: 'eth0', mac: mac(2), flags: UP, operstate: 6 };
  // linux/if_link.h: IFLA_VLAN_ID, IFLA_VLAN_FLAGS, IFLA_VLAN_PROTOCOL.
  const tag = [
    ...attribute(1, [100, 0]),
    ...attribute(2, [1, 0, 0, 0, 255, 255, 255, 255]),
    ...attribute(5, [0x81, 0]),
  ];
  const vlan: LinkSpec = { ...eth0, index: 3, name: 'eth0.100', kind: 'vlan', lower: 2, data: tag };

  it('are a VLAN upon an interface, whose carrier it follows, and with which it goes', async () => {
    const watch = await start(eth0, vlan);
    expect(watch.shown).toEqual({ eth0: 'physical, up, carrier', 'eth0.100': 'vlan, up, carrier' });
    await watch.hear(
      linkMessage({ ...eth0, flags: UP_ALONE, operstate: 2 }),
      linkMessage({ ...vlan, flags: UP_ALONE, operstate: 7 }),
    );
    expect(watch.shown).toEqual({ eth0: 'physical, up, no carrier', 'eth0.100': 'vlan, up, no carrier' });
    await watch.hear(linkMessage({ ...vlan, type: 17 }), linkMessage({ ...eth0, type: 17 }));
    expect(watch.shown).toEqual({});
  });

  it('are a bond, which stays as it is when one of its parts loses its carrier, but for its MAC', async () => {
    const bond: LinkSpec = {
      index: 4,
      name: 'bond0',
      mac: mac(2),
      flags: UP | 0x400,
      operstate: 6,
      kind: 'bond',
    };
    const part = (index: number, name: string): LinkSpec => ({
      ...eth0,
      index,
      name,
      flags: UP | 0x800,
      master: 4,
      partOf: 'bond',
    });
    const watch = await start(part(2, 'eth0'), part(3, 'eth1'), bond);
    const whole = {
      eth0: 'physical, up, carrier, part of bond0',
      eth1: 'physical, up, carrier, part of bond0',
      bond0: 'bond, up, carrier',
    };
    expect(watch.shown).toEqual(whole);
    await watch.hear(linkMessage({ ...part(2, 'eth0'), flags: UP_ALONE | 0x800, operstate: 2 }));
    expect(watch.shown).toEqual({ ...whole, eth0: 'physical, up, no carrier, part of bond0' });
    // fail_over_mac: the bond takes the address of the part that is active now.
    await watch.hear(linkMessage({ ...bond, mac: mac(3) }));
    expect([watch.mac('bond0'), watch.told]).toEqual([3, 3]);
    await watch.hear(linkMessage({ ...part(3, 'eth1'), flags: UP, master: 0 }));
    expect(watch.shown).toMatchObject({ eth1: 'physical, up, carrier' });
  });

  it('are a VLAN upon a bond, and a bridge upon that', async () => {
    const bond: LinkSpec = {
      index: 4,
      name: 'bond0',
      mac: mac(2),
      flags: UP | 0x400,
      operstate: 6,
      kind: 'bond',
    };
    const upon: LinkSpec = { ...vlan, index: 5, name: 'bond0.100', lower: 4, master: 6, partOf: 'bridge' };
    const bridge: LinkSpec = {
      index: 6,
      name: 'br100',
      mac: mac(2),
      flags: UP,
      operstate: 6,
      kind: 'bridge',
    };
    const watch = await start(bond, upon, bridge);
    expect(watch.shown).toEqual({
      bond0: 'bond, up, carrier',
      'bond0.100': 'vlan, up, carrier, part of br100',
      br100: 'bridge, up, carrier',
    });
  });

  it('are gone with an index that another link may have later', async () => {
    const watch = await start(eth0, vlan);
    await watch.hear(linkMessage({ ...vlan, type: 17 }), linkMessage({ ...eth0, index: 3, name: 'eth9' }));
    expect(watch.shown).toEqual({ eth0: 'physical, up, carrier', eth9: 'physical, up, carrier' });
  });
});
