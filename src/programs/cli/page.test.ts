/** The examples of docs/dialects.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tree } from './cli.rig.ts';
import { validate } from './validate.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/dialects.md'), 'utf8');
const examples = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);

describe('the page about dialects', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['kubespray-config', ['IPAddressPool primary', 'L2Advertisement primary'], []],
    [
      'kubespray-range',
      [
        'IPAddressPool loadbalanced',
        'IPAddressPool kube-pool',
        'L2Advertisement l2advertisement1',
        'L2Advertisement l2advertisement2',
      ],
      ['Renamed'],
    ],
    ['palette-manifest', ['IPAddressPool default', 'L2Advertisement default'], []],
    ['charm', ['IPAddressPool metallb', 'L2Advertisement metallb'], ['Renamed']],
    ['inline', ['IPAddressPool default', 'L2Advertisement l2advertisement1'], []],
    ['legacy', ['IPAddressPool lan-pool', 'L2Advertisement l2advertisement1'], ['Renamed']],
    ['objects', ['IPAddressPool web', 'L2Advertisement web-l2'], ['AddressWidened']],
  ])('shows an example of %s', async (dialect, objects, codes) => {
    const found = [];
    for (const example of examples) {
      const files = tree({ 'example.yaml': example });
      const { overlays, problems } = await validate([files.path('example.yaml')]);
      files.remove();
      const sources = overlays.flatMap((o) => o.sources);
      if (sources.some((s) => s.dialect === dialect))
        found.push({ objects: sources.flatMap((s) => s.objects), codes: problems.map((p) => p.code) });
    }
    expect(found).toEqual([{ objects, codes }]);
  });

  it('shows nothing else', () => expect(examples).toHaveLength(7));
});
