import { describe, expect, it } from 'vitest';
import { ethernet } from '../../../platform/linux/machine.rig.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import {
  answersArp,
  answersNdp,
  EXCLUDED_BY_DEFAULT,
  type Exclusion,
  exclusion,
  selectable,
} from './interfaces.ts';

const link = (name: string, change: Partial<Link> = {}): Link => ethernet({ name, ...change });
function excluding(...patterns: string[]): Exclusion {
  const made = exclusion(patterns);
  if (typeof made !== 'function') throw new Error(made.error);
  return made;
}

describe('excluded interfaces', () => {
  it('are by default those of containers, tunnels and proxies, and no others', () => {
    const excluded = excluding(...EXCLUDED_BY_DEFAULT);
    const names = [
      'lo',
      'docker0',
      'veth12ab',
      'cali0',
      'cni0',
      'flannel.1',
      'kube-ipvs0',
      'lxc_health',
      'nodelocaldns',
      'tunl0',
    ];
    expect(names.filter((name) => !excluded(name))).toEqual([]);
    expect(['eth0', 'eno1', 'bond0.100', 'loopy', 'br-lan'].filter(excluded)).toEqual([]);
  });

  it('are found by any of the expressions, anywhere in the name unless they say otherwise', () => {
    const excluded = excluding('^eth[12]$', 'mgmt', '(?i)^STOR');
    expect(['eth1', 'eth10', 'eth2', 'omgmt0', 'stor0', 'eth0'].filter(excluded)).toEqual([
      'eth1',
      'eth2',
      'omgmt0',
      'stor0',
    ]);
  });

  it('are none with an empty list', () => {
    expect(excluding()('lo')).toBe(false);
  });

  it('are refused with the expression that is none', () => {
    expect(exclusion(['^eth', '('])).toEqual({ error: '"(" is not a regular expression' });
  });
});

describe('interfaces that answer ARP', () => {
  const nobody = excluding();

  it('are up, free, Ethernet, and have ARP and broadcast', () => {
    expect(answersArp(link('eth0'), nobody)).toBe(true);
    for (const change of [
      { up: false },
      { master: 7 },
      { noArp: true },
      { broadcast: false },
      { mac: new Uint8Array(0) },
    ]) {
      expect(answersArp(link('eth0', change), nobody)).toBe(false);
    }
  });

  it('need no carrier, as upstream', () => {
    expect(answersArp(link('eth0', { carrier: false }), nobody)).toBe(true);
  });

  it('are not excluded', () => {
    expect(answersArp(link('eth0'), excluding('^eth'))).toBe(false);
  });
});

describe('interfaces that answer neighbour discovery', () => {
  it('are those that answer ARP and have IPv6, and need no broadcast', () => {
    const nobody = excluding();
    expect(answersNdp(link('eth0', { broadcast: false, carrier: false }), nobody)).toBe(true);
    for (const change of [
      { up: false },
      { master: 7 },
      { noArp: true },
      { ipv6: false },
      { mac: new Uint8Array(0) },
    ]) {
      expect(answersNdp(link('eth0', change), nobody)).toBe(false);
    }
    expect(answersNdp(link('eth0'), excluding('^eth'))).toBe(false);
  });
});

describe('interfaces that an advertisement may name', () => {
  it('are all that are not excluded, whatever their state', () => {
    const links = [link('eth0', { up: false }), link('eth1', { master: 3 }), link('lo')];
    expect([...selectable(links, excluding('^lo$'))]).toEqual(['eth0', 'eth1']);
  });
});
