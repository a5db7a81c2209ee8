// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the subject.
import { describe, expect, it } from 'vitest';
import { placeholderFor, placeholderIn, unrendered } from './placeholders.ts';

describe('text that waits for a tool', () => {
  it.each([
    ['${CLUSTER_LB_ADDRESSES}', '${CLUSTER_LB_ADDRESSES}'],
    ['${LB_START}-${LB_END}', '${LB_START}'],
    ['${X:=10.0.0.0/24}', '${X}'],
    ['${var.metal_range}', '${var.metal_range}'],
    ['${}', '${…}'],
    ['{{ metallb_range }}', '{{ metallb_range }}'],
    ['{{ .Values.range }}', '{{ .Values.range }}'],
    ['{{- .Values.range -}}', '{{- .Values.range -}}'],
    ['{{ range | default("10.0.0.0/24") }}', '{{ … }}'],
    ['{{ unclosed', '{{ … }}'],
    ['{% if x %}10.0.0.0/24{% endif %}', '{% … %}'],
    ['$pools', '$pools'],
    ['$(RANGE)', '$(RANGE)'],
    ['10.0.0.1-$MarioIP', '$MarioIP'],
    ['<IP_RANGE>', '<IP_RANGE>'],
    ['<your range here>', '<your range here>'],
    ['_replaced_', '_replaced_'],
    ['__REPLACED__/24', '_replaced_'],
    ['ENC[AES256_GCM,data:Zm9v,iv:x,tag:y,type:str]', 'ENC[…]'],
    ['$ANSIBLE_VAULT;1.1;AES256\n6638\n', '!vault'],
  ])('%j is the placeholder %s', (text, name) => expect(placeholderIn(text)?.name).toBe(name));

  it.each([
    '10.0.0.0/24',
    '10.0.0.1 - 10.0.0.9',
    'fd00::/64',
    '64512:10',
    'no-export',
    'large:1:2:3',
    '',
    '5 > 3',
    '$',
    '10$',
  ])('%j is none', (text) => expect(placeholderIn(text)).toBeUndefined());

  it('says how each is filled in', () => {
    expect(placeholderIn('ENC[x]')?.mend).toContain('SOPS');
    expect(placeholderIn('{{ x }}')?.mend).toContain('Ansible');
    expect(placeholderIn('${x}')?.mend).toContain('postBuild');
  });
});

describe('a password', () => {
  it.each(['${BGP_PASSWORD}', '{{ bgp_password }}', ' ENC[AES256_GCM,data:x] ', '$ANSIBLE_VAULT;'])(
    'is a placeholder as a whole: %j',
    (text) => expect(placeholderFor(text)).toBeDefined(),
  );

  it.each(['$ecret', 'pa${x}ss', 'a{{b}}c', '<letmein>', '_replaced_', 'x"\\#$'])('may be %j', (text) =>
    expect(placeholderFor(text)).toBeUndefined(),
  );
});

describe('all placeholders of a value', () => {
  it('come with their paths, passwords judged as such', () => {
    const value = {
      addresses: ['10.0.0.0/24', '${A}'],
      peer: { password: '$ecret', peerASN: '$peerasn', routerID: 5, bfdProfile: null },
    };
    expect(unrendered(value, ['pools', 'a.b']).map((f) => f.path)).toEqual([
      'pools["a.b"].addresses[1]',
      'pools["a.b"].peer.peerASN',
    ]);
    expect(unrendered('${P}', ['bgpPeers', 'r', 'password'])).toMatchObject([{ code: 'Unrendered' }]);
  });
});
