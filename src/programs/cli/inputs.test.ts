import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkOverlay } from './check.ts';
import { hasKubectl } from './cli.rig.ts';
import { CASES } from './inputs.cases.ts';
import { type InputCase, objectsOf } from './inputs.rig.ts';
import { load } from './load/load.ts';
import { WRITTEN } from './written.cases.ts';

const ROOT = join(import.meta.dirname, '../../..');
const REAL = join(ROOT, '../shared/inputs');

async function read(folder: string, { paths = ['.'] }: InputCase) {
  const loaded = await load(paths.map((path) => join(folder, path)));
  const checked = loaded.overlays.map((overlay) => checkOverlay(overlay));
  return {
    objects: objectsOf(checked),
    settings: Object.assign(
      {},
      ...checked.flatMap((c) => c.sources.map((s) => s.built.settings ?? {})),
    ) as object,
    told: checked.flatMap((c) =>
      c.problems.map(({ severity, source = '', line, column, code }) =>
        [...(severity ? [severity] : []), [relative(folder, source), line, column].join(':'), code].join(' '),
      ),
    ),
    unreadable: loaded.unreadable.map(({ file }) => relative(folder, file)),
    namespaces: [...new Set(checked.flatMap((c) => (c.sources.length > 0 ? [c.target.namespace] : [])))],
  };
}

function suite(name: string, root: string, cases: readonly InputCase[]) {
  const missing = existsSync(root) ? (hasKubectl ? undefined : 'there is no kubectl') : `there is no ${root}`;
  if (missing !== undefined) console.warn(`${name} are not read: ${missing}`);
  const titled = cases.map((c) => [[c.name, ...(c.paths ?? [])].join(' '), c] as const);
  describe.skipIf(missing !== undefined)(name, () => {
    it.each(titled)('%s', async (_, c) => {
      const { objects, settings, told, unreadable, namespaces } = await read(join(root, c.name), c);
      expect(objects).toEqual(c.objects);
      expect(told).toEqual(c.told);
      expect(settings).toEqual(c.settings ?? {});
      expect(unreadable).toEqual(c.unreadable ?? []);
      if (namespaces.length > 0) expect(namespaces).toEqual([c.namespace ?? 'metallb-system']);
    });
  });
}

suite('files of real operators', REAL, CASES);
suite('files as operators might write them', join(ROOT, 'test/inputs'), WRITTEN);

describe.skipIf(!existsSync(REAL))('the tables', () => {
  it('have every folder', () => {
    const folders = (root: string) =>
      readdirSync(root, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));
    const names = (cases: readonly InputCase[]) => [...new Set(cases.map((c) => c.name))].sort();
    expect(names(CASES)).toEqual(folders(REAL).sort());
    expect(names(WRITTEN)).toEqual(folders(join(ROOT, 'test/inputs')).sort());
  });
});
