import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CRDS, crdManifest } from '../../src/domain/api/crds.ts';
import { allFiles } from './all.ts';
import { fieldsBelow } from './fields.ts';
import { generate, stale } from './files.ts';

describe('generated files', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'herald-gen-'));
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });
  const files = new Map([
    ['a/one', '1'],
    ['b/two', '2'],
  ]);

  test('are stale when missing, changed or left over in an owned folder', async () => {
    await mkdir(join(root, 'a'));
    await writeFile(join(root, 'a/one'), 'changed');
    await writeFile(join(root, 'a/old'), '');
    expect(await stale(files, ['a'], root)).toEqual(['a/old', 'a/one', 'b/two']);
  });

  test('are right after generating, and what is left over is gone', async () => {
    await mkdir(join(root, 'a'));
    await writeFile(join(root, 'a/old'), '');
    await generate(files, ['a'], root);
    expect(await stale(files, ['a'], root)).toEqual([]);
    expect(await readdir(join(root, 'a'))).toEqual(['one']);
    expect(await readFile(join(root, 'b/two'), 'utf8')).toBe('2');
  });
});

describe('what is generated', () => {
  const files = allFiles();
  const text = (path: string) => files.get(path) ?? '';

  test('holds each definition as the schemas say it', () => {
    for (const crd of CRDS) {
      const yaml: unknown = parse(text(`chart/crds/${crd.plural}.${crd.group}.yaml`));
      expect(yaml).toEqual(JSON.parse(JSON.stringify(crdManifest(crd))));
    }
  });

  test('holds no template braces and no anchors, which Helm or old parsers would trip over', () => {
    for (const [path, content] of files)
      if (path.startsWith('chart/')) expect(content).not.toMatch(/\{\{|: [&*]\w/);
  });

  test('gives Helm a closed draft-07 schema that takes foreign roots and nulls', () => {
    const schema = Object(JSON.parse(text('chart/values.schema.json')));
    expect(schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      additionalProperties: false,
      patternProperties: { '^(metallb|matallb)_': {} },
      properties: {
        pools: {
          type: ['object', 'null'],
          propertyNames: { maxLength: 253 },
          additionalProperties: {
            type: ['object', 'null'],
            additionalProperties: false,
            required: ['addresses'],
          },
        },
      },
    });
    expect(schema.properties.controller.additionalProperties).toBeUndefined();
    expect(text('chart/values.schema.json')).not.toMatch(/x-kubernetes|"format"|"nullable"/);
  });

  test('documents every kind and every root of the values', () => {
    for (const crd of CRDS) expect(text('docs/reference/kinds.md')).toContain(`\n## ${crd.kind}\n`);
    const roots = Object.keys(Object(JSON.parse(text('chart/values.schema.json'))).properties);
    for (const key of roots) expect(text('docs/reference/values.md')).toContain(`\`${key}\``);
  });
});

test('a reference row names the whole path, the type, the default and the limits', () => {
  const port = { type: 'integer', minimum: 1, maximum: 9, default: 5, description: 'A port.' };
  const item = { type: 'object', properties: { port }, required: ['port'] };
  const rows = fieldsBelow('spec', { type: 'object', properties: { list: { type: 'array', items: item } } });
  expect(rows.map(({ path, type, fallback, about }) => [path, type, fallback, about])).toEqual([
    ['spec', 'map', '', ''],
    ['spec.list', 'list of map', '', ''],
    ['spec.list[].port', 'whole number, required', '`5`', 'A port. 1 to 9.'],
  ]);
});
