import { describe, expect, it } from 'vitest';
import { openContent } from '../object.ts';
import { rendered, specs, told } from './text.rig.ts';

const BGP = 'metallb_enabled: true\nmetallb_ip_range: [10.5.0.0/16]\nmetallb_protocol: bgp\n';
const PEERS = `${BGP}metallb_peers:
  - peer_address: 192.0.2.1
    peer_asn: 64512
    my_asn: 4200000000
`;

describe('peers of Kubespray up to 2.21', () => {
  it.each([
    ['my_asn2: 1', ['8:5 warning UnknownKey metallb_peers[0].my_asn2']],
    ['peer_port: 1179', ['8:5 warning UnknownKey metallb_peers[0].peer_port']],
    ['password: 0123', ['8:15 warning ReadOtherwise metallb_peers[0].password']],
    ['password: !vault "x"', ['8:22 error Unrendered metallb_peers[0].password']],
    ['password: "{{ secret }}"', ['8:15 error Unrendered metallb_peers[0].password']],
    ['source_address: "{{ ip }}"', ['8:21 error Unrendered metallb_peers[0].source_address']],
    ['source_address: nowhere', ['8:21 error PeerInvalid metallb_peers[0].source_address']],
  ])('%s', (more, problems) => expect(told(rendered(`${PEERS}    ${more}\n`))).toEqual(problems));

  it.each([
    ['my_asn: 64512', 64_512],
    ['my_asn: "64512"', 64_512],
    ['my_asn: 4294967295', 4_294_967_295],
    // Python takes it for text, and Go for a number.
    ['my_asn: 1e3', 1_000],
  ])('takes %s, printed and read by Go', (text, myASN) => {
    const one = `${BGP}metallb_peers: [{peer_address: 192.0.2.1, peer_asn: 64513, ${text}}]\n`;
    expect(specs(rendered(one))['BGPPeer peer1']).toMatchObject({ myASN });
  });

  it.each([
    ['1.10', 'WrongType'],
    ['4294967296', 'InvalidValue'],
    ['0', 'PeerInvalid'],
    ['many', 'WrongType'],
  ])('refuses the AS number %s', (text, code) => {
    const one = `${BGP}metallb_peers: [{peer_address: 192.0.2.1, peer_asn: 64513, my_asn: ${text}}]\n`;
    expect(told(rendered(one))).toEqual([`4:68 error ${code} metallb_peers[0].my_asn`]);
  });

  it('tells every missing key', () => {
    expect(told(rendered(`${BGP}metallb_peers: [{}, x]\n`))).toEqual([
      '4:17 error MissingKey metallb_peers[0].peer_address',
      '4:17 error MissingKey metallb_peers[0].peer_asn',
      '4:17 error MissingKey metallb_peers[0].my_asn',
      '4:21 error WrongType metallb_peers[1]',
    ]);
  });

  // Byte for byte, whatever the template would have made of it.
  it.each([
    ['"a\\"b\\\\c$d#e\\n"', 'a"b\\c$d#e\n'],
    ['0123', '83'],
    ["'0123'", '0123'],
    ['yes', 'True'],
  ])('takes the password %s', (text, password) => {
    const built = rendered(`${PEERS}    password: ${text}\n`);
    const secret = built.objects.find((o) => o.kind.kind === 'Secret');
    expect(secret && openContent(secret.content).data).toEqual({
      password: Buffer.from(password).toString('base64'),
    });
  });

  it('translates node selectors, and refuses spellings that MetalLB 0.12 refuses', () => {
    const selectors = (text: string) => `${PEERS}    node_selectors:\n      - ${text}\n`;
    const text =
      '{match-labels: {rack: 1, edge: true}}\n      - match-expressions: [{key: zone, operator: In, values: [a, 2]}]';
    expect(specs(rendered(selectors(text)))['BGPPeer peer1']).toMatchObject({
      nodeSelectors: [
        { matchLabels: { rack: '1', edge: 'true' } },
        { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', '2'] }] },
      ],
    });
    expect(told(rendered(selectors('{matchLabels: {a: b}}')))).toEqual([
      '9:10 error UnknownKey metallb_peers[0].node_selectors[0].matchLabels',
    ]);
    expect(told(rendered(selectors('{match-expressions: [{key: zone}]}')))).toEqual([
      '9:30 error MissingKey metallb_peers[0].node_selectors[0].match-expressions[0].operator',
    ]);
  });
});
