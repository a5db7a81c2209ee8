import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CRDS, crdManifest } from './crds.ts';

/** Upstream's definitions, from the Go module that tools/servers/metallb pins; or in one line why they are not there. */
function upstream(): { readonly crds: readonly unknown[] } | { readonly missing: string } {
  try {
    const output = execFileSync('go', ['mod', 'download', '-json', 'go.universe.tf/metallb'], {
      cwd: join(import.meta.dirname, '../../../tools/servers/metallb'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
    const folder = join(String(JSON.parse(output).Dir), 'config/crd/bases');
    return { crds: readdirSync(folder).map((name) => parse(readFileSync(join(folder, name), 'utf8'))) };
  } catch {
    return { missing: 'skipped: no Go, or the module go.universe.tf/metallb cannot be had' };
  }
}

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

const theirs = upstream();
const reason = 'missing' in theirs ? ` (${theirs.missing})` : '';

describe.skipIf('missing' in theirs)(`the definitions of metallb.io${reason}`, () => {
  const named = new Map(
    ('crds' in theirs ? theirs.crds : []).map((crd) => [String(Object(crd).metadata.name), crd] as const),
  );
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

/** Every description of more than four words; shorter ones cannot but coincide. */
function texts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, v]) =>
    key === 'description' && typeof v === 'string' ? (v.split(' ').length > 4 ? [v.trim()] : []) : texts(v),
  );
}
