import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkOverlay } from './check.ts';
import { hasKubectl, tree } from './cli.rig.ts';
import { asJson, asYaml, importValues, problemText } from './import.ts';
import { CASES } from './inputs.cases.ts';
import { type InputCase, objectsOf } from './inputs.rig.ts';
import { load } from './load/load.ts';
import { exitCodeOf } from './validate.ts';
import { WRITTEN } from './written.cases.ts';

const ROOT = join(import.meta.dirname, '../../..');
const REAL = join(ROOT, '../shared/inputs');

/** What a values file says, in a release of the same name and namespace. */
async function rendered(text: string, namespace: string) {
  const files = tree({ 'values.yaml': text });
  const { overlays } = await load([files.path('values.yaml')]);
  const checked = overlays.map((overlay) => checkOverlay(overlay, { namespace }));
  files.remove();
  return checked;
}

function suite(name: string, root: string, cases: readonly InputCase[]) {
  const good = cases.filter((c) => Object.keys(c.objects).length > 0);
  const titled = good.map((c) => [[c.name, ...(c.paths ?? [])].join(' '), c] as const);
  describe.skipIf(!existsSync(root) || !hasKubectl)(name, () => {
    it.each(titled)('%s', async (_, c) => {
      const paths = (c.paths ?? ['.']).map((path) => join(root, c.name, path));
      const imported = await importValues(paths, { withPasswords: true });
      expect(exitCodeOf(imported)).toBe(0);
      const text = asYaml(imported);
      const checked = await rendered(text, c.namespace ?? 'metallb-system');
      expect(objectsOf(checked)).toEqual(c.objects);
      const entries = [...(imported.native?.from.values() ?? [])];
      expect(entries.length).toBeGreaterThan(0);
      for (const { source, line } of entries)
        expect(text).toContain(`# from ${source}${line === undefined ? '' : `:${line}`}`);
    });
  });
}

suite('values printed from files of real operators render the same objects', REAL, CASES);
suite('values printed from files as operators might write them do, too', join(ROOT, 'test/inputs'), WRITTEN);

describe('import', () => {
  const files = {
    'peer.yaml': 'peers:\n- {my-asn: 1, peer-asn: 2, peer-address: 192.0.2.1, password: hunter2}\n',
    'pools.yaml': 'address-pools:\n- {name: web, protocol: layer2, addresses: [192.0.2.0/28]}\n',
    'other.yaml': 'address-pools:\n- {name: web, protocol: layer2, addresses: [192.0.3.0/28]}\n',
    'bad.yaml': 'address-pools:\n- {name: web, protocol: layer2, addresses: [192.0.2.9]}\n',
  };
  const imported = async (names: readonly string[], o = {}) => {
    const written = tree(files);
    const result = await importValues(
      names.map((name) => written.path(name)),
      o,
    );
    written.remove();
    return { ...result, told: written.told(result) };
  };

  it('says above each entry where it comes from, and leaves passwords out unless it is told otherwise', async () => {
    const result = await imported(['peer.yaml']);
    const text = asYaml(result);
    expect(text).toMatch(/# from .*peer\.yaml:2 peers\[0\]\n {2}# its password is left out/);
    expect(text).toContain('passwordSecret:\n      name: herald-peer-peer1');
    expect(text + asJson(result) + problemText(result)).not.toContain('hunter2');
    expect(asYaml(await imported(['peer.yaml'], { withPasswords: true }))).toContain('password: hunter2');
  });

  it('puts what several files say into one', async () => {
    const text = asYaml(await imported(['peer.yaml', 'pools.yaml']));
    expect(text).toContain('pools:\n');
    expect(text).toContain('bgpPeers:\n');
  });

  it('prints nothing where files contradict each other, or are wrong, and answers 1', async () => {
    const twice = await imported(['pools.yaml', 'other.yaml']);
    expect(twice.told).toContain('other.yaml:2:3 ObjectInTwoSources address-pools[0]');
    const wrong = await imported(['bad.yaml']);
    expect(wrong.told).toEqual(['bad.yaml:2:45 PoolRangeInvalid address-pools[0].addresses[0]']);
    for (const result of [twice, wrong]) {
      expect([asYaml(result), exitCodeOf(result)]).toEqual(['', 1]);
      expect(JSON.parse(asJson(result))).toMatchObject({ values: null });
    }
  });

  it('answers 2 where a file cannot be read', async () => {
    const result = await imported(['nowhere.yaml', 'pools.yaml']);
    expect([asYaml(result), exitCodeOf(result)]).toEqual(['', 2]);
  });
});
