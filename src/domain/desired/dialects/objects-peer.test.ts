import { describe, expect, it } from 'vitest';
import { rendered, specs, told } from './text.rig.ts';

const peer = (version: string, more = '') =>
  `apiVersion: metallb.io/${version}\nkind: BGPPeer\nmetadata: {name: tor}\n` +
  `spec:\n  myASN: 64513\n  peerASN: 64512\n  peerAddress: 192.168.1.1\n${more}`;
const PEER = {
  myASN: 64513,
  peerASN: 64512,
  peerAddress: '192.168.1.1',
  peerPort: 179,
  disableMP: false,
  dualStackAddressFamily: false,
};

describe('a BGPPeer of v1beta1', () => {
  it('becomes one of v1beta2 without timers, which is told', () => {
    const built = rendered(peer('v1beta1'));
    expect(specs(built)).toEqual({ 'BGPPeer tor': PEER });
    expect(told(built)).toEqual(['5:3 notice Assumed spec']);
    expect(built.problems[0]?.message).toContain('holdTime and keepaliveTime stay unset');
  });

  it('keeps the timers that it has', () => {
    const built = rendered(peer('v1beta1', '  holdTime: 1m30s\n  keepaliveTime: 0s\n'));
    expect(specs(built)).toEqual({ 'BGPPeer tor': { ...PEER, holdTime: '1m30s', keepaliveTime: '0s' } });
    expect(told(built)).toEqual([]);
  });

  it('takes a port of 0 for the default', () => {
    const built = rendered(peer('v1beta1', '  peerPort: 0\n'));
    expect(specs(built)).toEqual({ 'BGPPeer tor': PEER });
    expect(told(rendered(peer('v1beta2', '  peerPort: 0\n')))).toEqual([
      '8:13 error InvalidValue spec.peerPort',
    ]);
  });

  it('keeps node selectors, and cannot select by a label’s being there', () => {
    const selectors = (expression: string) =>
      peer(
        'v1beta1',
        `  holdTime: 3s\n  keepaliveTime: 1s\n  nodeSelectors: [{matchExpressions: [${expression}]}]\n`,
      );
    const good = rendered(selectors('{key: a, operator: In, values: [b]}'));
    expect(specs(good)).toMatchObject({
      'BGPPeer tor': { nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
    });
    const path = 'spec.nodeSelectors[0].matchExpressions[0].values';
    expect(told(rendered(selectors('{key: a, operator: Exists}')))).toContain(
      `10:39 error InvalidValue ${path}`,
    );
    expect(told(rendered(selectors('{key: a, operator: Exists, values: []}')))).toContain(
      `10:74 error InvalidValue ${path}`,
    );
  });

  it('does not know what came with v1beta2', () => {
    const built = rendered(peer('v1beta1', '  holdTime: 3s\n  keepaliveTime: 0s\n  vrf: red\n'));
    expect(specs(built)).toEqual({ 'BGPPeer tor': { ...PEER, holdTime: '3s', keepaliveTime: '0s' } });
    expect(told(built)).toEqual(['10:3 warning UnknownKey spec.vrf']);
    expect(built.problems[0]?.hint).toContain('v1beta2');
  });
});

describe('an empty passwordSecret', () => {
  it('is none', () => {
    const built = rendered(peer('v1beta2', '  passwordSecret: {}\n'));
    expect(told(built)).toEqual([]);
    expect(specs(built)).toEqual({ 'BGPPeer tor': PEER });
  });
});
