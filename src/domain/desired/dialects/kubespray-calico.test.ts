import { describe, expect, it } from 'vitest';
import { readers } from '../desired.rig.ts';
import { settle } from '../settle.ts';
import { rendered, specs, told } from './text.rig.ts';

const RANGE = 'metallb_enabled: true\nmetallb_ip_range: [10.5.0.0/16]\n';
const BGP = `${RANGE}metallb_protocol: bgp\n`;

describe('Kubespray without speakers', () => {
  const OFF = `${RANGE}metallb_speaker_enabled: false\n`;

  it('renders pools alone, leaves announcing to others, and misses nothing', () => {
    const built = rendered(`${OFF}metallb_protocol: bgp\nmetallb_peers: [{peer_address: x}]\n`);
    expect(specs(built)).toEqual({
      'IPAddressPool loadbalanced': { addresses: ['10.5.0.0/16'], autoAssign: true, avoidBuggyIPs: false },
    });
    expect(told(built)).toEqual(['3:26 notice LeftToOthers metallb_speaker_enabled']);
    expect(built.settings).toEqual({ speaker: { enabled: false } });
    const settled = settle({ instance: 'herald', built: [built], live: [], check: readers });
    expect(settled.verdicts[0]?.problems.map((p) => p.code)).toEqual(['LeftToOthers']);
    const loud = settle({
      instance: 'herald',
      built: [rendered(BGP.replace('bgp', 'layer2'))],
      live: [],
      check: readers,
    });
    expect(loud.verdicts[0]?.problems).toEqual([]);
  });

  it('needs no peers, and follows metallb_enabled where it says so', () => {
    expect(told(rendered(`${BGP}metallb_speaker_enabled: false\n`)).join()).not.toContain('metallb_peers');
    expect(specs(rendered(`${RANGE}metallb_speaker_enabled: "{{ metallb_enabled }}"\n`))).toHaveProperty(
      'L2Advertisement l2advertisement1',
    );
    expect(told(rendered(`${RANGE}metallb_speaker_enabled: "{{ not calico }}"\n`))).toEqual([
      '3:26 error Unrendered metallb_speaker_enabled',
    ]);
  });

  it.each([
    ['"{{ metallb_ip_range }}"', []],
    ['[10.0.0.0/8]', []],
    ['[10.4.0.0/16, 10.5.0.0/17]', ['2:20 warning PoolNotAdvertised metallb_ip_range[0]']],
    ['[10.5.0.0/17, 10.5.128.0/17]', []],
    ['"{{ others }}"', []],
  ])('tells what Calico would not announce of %s', (list, problems) => {
    const built = rendered(`${OFF}calico_advertise_service_loadbalancer_ips: ${list}\n`);
    expect(told(built)).toEqual(['3:26 notice LeftToOthers metallb_speaker_enabled', ...problems]);
    expect(built.problems[0]?.message).toContain('Calico');
  });
});
