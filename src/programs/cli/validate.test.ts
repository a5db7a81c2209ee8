import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { asJson, asText, exitCodeOf, validate } from './validate.ts';

const dir = mkdtempSync(join(tmpdir(), 'herald-validate-'));
afterAll(() => rmSync(dir, { recursive: true }));

const file = (name: string, text: string) => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};
const places = async (path: string) =>
  (await validate([path])).problems.map((p) => `${p.line}:${p.column} ${p.code} ${p.path}`);

const CONFIG_MAP = (text: string, labels = '{herald.io/source: "true"}') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, labels: ${labels}}\ndata:\n  ${text}`;

describe('validate', () => {
  it('counts the objects of a good file and answers 0', async () => {
    const good = file(
      'good.yaml',
      'pools:\n  web: {addresses: [192.0.2.0/28]}\nl2Advertisements: {all: {}}\n',
    );
    const result = await validate([good]);
    expect(result).toEqual({
      overlays: [
        {
          title: good,
          namespace: 'metallb-system',
          sources: [{ name: good, dialect: 'native', objects: ['IPAddressPool web', 'L2Advertisement all'] }],
        },
      ],
      read: [good],
      problems: [],
      unreadable: [],
    });
    expect(exitCodeOf(result)).toBe(0);
    expect(asText(result)).toBe('1 file, 1 source, 2 objects, 0 errors, 0 warnings');
  });

  it('tells every mistake with its line and column, schema and ranges in one go, and answers 1', async () => {
    const bad = file(
      'bad.yaml',
      'pools:\n  web:\n    addresses:\n      - 192.0.2.9-192.0.2.1\n    autoAssign: "yes"\n',
    );
    expect(await places(bad)).toEqual([
      '4:9 PoolRangeInvalid pools.web.addresses[0]',
      '5:17 WrongType pools.web.autoAssign',
    ]);
    expect(exitCodeOf(await validate([bad]))).toBe(1);
  });

  it('tells of a misspelt key where the key stands, and of what is wrong below it', async () => {
    const misspelt = file('misspelt.yaml', 'pools:\n  web:\n    adresses:\n      - 192.0.2.9-192.0.2.1\n');
    expect(await places(misspelt)).toEqual([
      '3:5 UnknownKey pools.web.adresses',
      '4:9 PoolRangeInvalid pools.web.adresses[0]',
    ]);
    const root = file('root.yaml', 'pool:\n  web:\n    addresses:\n      - 192.0.2.9-192.0.2.1\n');
    expect(await places(root)).toEqual(['1:1 UnknownKey pool', '4:9 PoolRangeInvalid pool.web.addresses[0]']);
    const object = 'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: web}\nspec:\n';
    expect(await places(file('object.yaml', `${object}  adresses:\n  - 192.0.2.9-192.0.2.1\n`))).toEqual([
      '5:3 UnknownKey spec.adresses',
      '5:3 MissingKey spec.addresses',
      '6:5 PoolRangeInvalid spec.adresses[0]',
    ]);
  });

  it('takes warnings for no reason to fail', async () => {
    const result = await validate([file('warn.yaml', 'pools: {web: {addresses: [192.0.2.5/28]}}\n')]);
    expect(result.problems.map((p) => [p.code, p.severity])).toEqual([
      ['PoolNotAdvertised', 'warning'],
      ['HostBits', 'warning'],
    ]);
    expect(exitCodeOf(result)).toBe(0);
  });

  it('places what stands in the text of a ConfigMap in the file around it', async () => {
    const text = CONFIG_MAP('values.yaml: |\n    pools:\n      web:\n        addresses: [192.0.2.9]\n');
    expect(await places(file('cm.yaml', text))).toEqual(['8:21 PoolRangeInvalid pools.web.addresses[0]']);
    const folded = CONFIG_MAP('values.yaml: "pools: {web: {addresses: [192.0.2.9]}}"\n');
    expect(await places(file('cm2.yaml', folded))).toEqual(['5:16 PoolRangeInvalid pools.web.addresses[0]']);
  });

  it('refuses a password in a ConfigMap, and takes it in values', async () => {
    const values = 'bgpPeers: {a: {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, password: hunter2}}\n';
    const inMap = await validate([file('pw-cm.yaml', CONFIG_MAP(`values.yaml: |\n    ${values}`))]);
    expect(inMap.problems.map((p) => p.code)).toEqual(['PasswordInOpen']);
    expect(asText(inMap) + asJson(inMap)).not.toContain('hunter2');
    expect((await validate([file('pw.yaml', values)])).problems).toEqual([]);
  });

  it('warns of a ConfigMap that no reconciler would read', async () => {
    const text = CONFIG_MAP('values.yaml: "communities: {a: {communities: []}}"\n', '{}');
    expect(await places(file('nolabel.yaml', text))).toEqual(['3:32 NotASource metadata.labels']);
  });

  it('passes over other manifests beside a ConfigMap, and refuses a file of nothing else', async () => {
    const other = 'apiVersion: v1\nkind: Service\nmetadata: {name: x}\n';
    expect(
      await places(
        file(
          'both.yaml',
          `${other}---\n${CONFIG_MAP('values.yaml: "communities: {a: {communities: []}}"\n')}`,
        ),
      ),
    ).toEqual([]);
    expect(await places(file('other.yaml', other))).toEqual(['1:1 UnknownKind ']);
  });

  it('tells broken YAML with its place, and takes an empty file for no values', async () => {
    expect(await places(file('tab.yaml', 'pools:\n\tweb: {}\n'))).toEqual(['2:1 YamlSyntax ']);
    expect(await places(file('dup.yaml', 'pools: {}\npools: {}\n'))).toEqual(['2:1 DuplicateKey pools']);
    expect(await places(file('empty.yaml', '# nothing\n---\n'))).toEqual([
      'undefined:undefined EmptySource ',
    ]);
  });

  it('answers 2 when a file cannot be read, and checks the others', async () => {
    const bad = file('bad2.yaml', 'poolz: {}\n');
    const result = await validate([join(dir, 'nowhere.yaml'), bad]);
    expect(exitCodeOf(result)).toBe(2);
    expect(result.problems.map((p) => p.code)).toEqual(['UnknownKey']);
    expect(asText(result)).toMatch(/^.*nowhere\.yaml: cannot be read: ENOENT.*\nerror: .*\n1 file, /);
  });

  it('prints JSON in which every problem has its severity', async () => {
    const out: unknown = JSON.parse(asJson(await validate([file('bad3.yaml', 'poolz: {}\n')])));
    expect(out).toMatchObject({
      overlays: [{ sources: [{ objects: [] }] }],
      problems: [{ severity: 'error', line: 1 }],
      unreadable: [],
    });
  });
});
