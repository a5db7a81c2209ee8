import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CRDS, crdManifest } from './crds.ts';
import { withoutNulls } from './kind.ts';
import { upstreamFolder } from './upstream.rig.ts';
import { checkValues } from './values.ts';

/** What a definition means: without descriptions, our explicit conversion and controller-gen's annotation. */
function meaning(crd: unknown): unknown {
  const manifest = withoutDescriptions(crd);
  const { apiVersion, kind, spec, metadata } = Object(manifest);
  const { conversion: _ours, ...rest } = spec;
  return { apiVersion, kind, name: metadata.name, spec: rest };
}

function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      // A field may be called "description"; only the keyword is a text.
      .filter(([key, v]) => !(key === 'description' && typeof v === 'string'))
      .map(([key, v]) => [
        key,
        key === 'required' && Array.isArray(v) ? v.map(String).sort() : withoutDescriptions(v),
      ]),
  );
}

const folder = upstreamFolder();
const title =
  folder === undefined
    ? 'skipped: no Go, or the module go.universe.tf/metallb cannot be had'
    : 'the definitions of metallb.io';

describe.skipIf(folder === undefined)(title, () => {
  const named = new Map(definitions(folder).map((crd) => [String(Object(crd).metadata.name), crd] as const));
  const ours = CRDS.filter((crd) => crd.group === 'metallb.io');

  test('are those of upstream, neither more nor fewer', () => {
    expect(ours.map((crd) => `${crd.plural}.${crd.group}`).sort()).toEqual([...named.keys()].sort());
  });

  test.each(ours.map((crd) => [crd.kind, crd] as const))('%s equals upstream but for the words', (_, crd) => {
    const manifest: unknown = JSON.parse(JSON.stringify(crdManifest(crd)));
    expect(meaning(manifest)).toEqual(meaning(named.get(`${crd.plural}.${crd.group}`)));
  });

  test('share no description with upstream', () => {
    const copied = texts(ours.map(crdManifest)).filter((text) => texts([...named.values()]).includes(text));
    expect(copied).toEqual([]);
  });
});

test.skipIf(folder === undefined)("the default values of upstream's chart are known to the last key", () => {
  const values: unknown = parse(readFileSync(join(folder ?? '', 'charts/metallb/values.yaml'), 'utf8'));
  expect(Object.keys(Object(values)).length).toBeGreaterThan(10);
  expect(checkValues(values)).toEqual({ values: withoutNulls(values), warnings: [] });
});

function definitions(module: string | undefined): readonly unknown[] {
  if (module === undefined) return [];
  const bases = join(module, 'config/crd/bases');
  return readdirSync(bases).map((name) => parse(readFileSync(join(bases, name), 'utf8')));
}

/** Every description of more than four words; shorter ones cannot but coincide. */
function texts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, v]) =>
    key === 'description' && typeof v === 'string' ? (v.split(' ').length > 4 ? [v.trim()] : []) : texts(v),
  );
}
