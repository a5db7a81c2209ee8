import { describe, expect, test } from 'vitest';
import { CRDS, crdManifest, rootSchema } from './crds.ts';
import { object, str } from './schema.ts';
import { structuralFaults } from './structural.rig.ts';

const versions = CRDS.flatMap((crd) => crd.versions.map((version) => ({ crd, version })));

describe('custom resource definitions', () => {
  test.each(versions.map(({ crd, version }) => [`${crd.kind} ${version.name}`, version] as const))(
    'of %s are structural',
    (_, version) => {
      expect(structuralFaults(JSON.parse(JSON.stringify(rootSchema(version))))).toEqual([]);
    },
  );

  test('store exactly one version each', () => {
    for (const crd of CRDS) expect(crd.versions.filter((v) => v.storage).map((v) => v.name)).toHaveLength(1);
  });

  test('have unique names', () => {
    const names = CRDS.map((crd) => `${crd.plural}.${crd.group}`);
    expect(new Set(names).size).toBe(names.length);
  });

  test('bound every list and text of our own group, which keeps the cost of rules bounded', () => {
    const own = CRDS.filter((crd) => crd.group === 'herald.io');
    expect(own.length).toBeGreaterThan(1);
    const unbounded: string[] = [];
    for (const { kind, versions } of own)
      for (const { spec, status } of versions)
        walk(JSON.parse(JSON.stringify({ properties: { spec, status } })), kind, unbounded);
    expect(unbounded.filter((path) => !path.endsWith('lastTransitionTime'))).toEqual([]);
  });

  test('say that nobody converts', () => {
    expect(CRDS.map((crd) => crdManifest(crd))).toEqual(
      CRDS.map(() =>
        expect.objectContaining({ spec: expect.objectContaining({ conversion: { strategy: 'None' } }) }),
      ),
    );
  });
});

function walk(schema: unknown, path: string, unbounded: string[]): void {
  if (typeof schema !== 'object' || schema === null) return;
  const type: unknown = Reflect.get(schema, 'type');
  if (type === 'string' && !Object.hasOwn(schema, 'maxLength') && !Object.hasOwn(schema, 'enum'))
    unbounded.push(path);
  if (type === 'array' && !Object.hasOwn(schema, 'maxItems')) unbounded.push(path);
  const properties: unknown = Reflect.get(schema, 'properties') ?? {};
  for (const [key, field] of Object.entries(Object(properties))) walk(field, `${path}.${key}`, unbounded);
  walk(Reflect.get(schema, 'items'), `${path}[]`, unbounded);
}

describe('the structural lint', () => {
  const inSpec = (spec: object) => structuralFaults({ type: 'object', properties: { spec } });

  test.each([
    [{ enum: ['a'] }, '/spec: has no type'],
    [{ type: 'string', const: 'a' }, '/spec: keyword const is not allowed'],
    [{ type: 'object', additionalProperties: false }, '/spec: additionalProperties: false is not allowed'],
    [
      { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } },
      '/spec: has properties and additionalProperties',
    ],
    [{ type: 'array' }, '/spec: is a list without items'],
    [{ type: 'array', items: { pattern: 'x' } }, '/spec/[]: has no type'],
    [{ type: 'integer', exclusiveMinimum: 3 }, '/spec: exclusiveMinimum must be a boolean'],
    [{ type: 'object', patternProperties: {} }, '/spec: keyword patternProperties is not allowed'],
    [{ type: 'object', anyOf: [{ type: 'object' }] }, '/spec: type is not allowed inside a junctor'],
    [{ type: 'object', required: ['a'] }, '/spec: requires a, which it does not declare'],
    [
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'map' },
      '/spec: is a list map without keys',
    ],
  ])('finds the fault of %j', (spec, fault) => {
    expect(inSpec(spec)).toEqual([fault]);
  });

  test('finds constraints on metadata', () => {
    const metadata = object({ labels: object({ a: str() }) });
    expect(structuralFaults({ type: 'object', properties: { metadata } })).toEqual([
      '/metadata: only name and generateName may be constrained',
    ]);
  });
});
