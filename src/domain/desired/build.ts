import { FROM, INSTANCE } from '../api/annotations.ts';
import { pathText } from '../api/check.ts';
import { Secrets } from '../api/core.ts';
import { bgpAdvertisementSpec, l2AdvertisementSpec } from '../api/metallb/advertisements.ts';
import { bfdProfileSpec } from '../api/metallb/bfd.ts';
import { communitySpec } from '../api/metallb/community.ts';
import { peerSpec } from '../api/metallb/peer.ts';
import { poolSpec } from '../api/metallb/pool.ts';
import {
  BFDProfiles,
  BGPAdvertisements,
  BGPPeers,
  Communities,
  IPAddressPools,
  L2Advertisements,
} from '../api/metallb.ts';
import type { Problem } from '../api/problem.ts';
import { checkValues, type HeraldValues } from '../api/values.ts';
import { schemaJson, withDefaults } from './defaults.ts';
import { isObject, type JsonObject, toJson } from './json.ts';
import { isObjectName, joinName, proposeName } from './names.ts';
import { type Address, type DesiredObject, EXTRA, idOf } from './object.ts';
import { findingsOf } from './rules.ts';
import { Sealed } from './sealed.ts';
import { isError, located, problemOf, type Source } from './source.ts';

/** For whom objects are rendered. */
export interface Target {
  /** The release: value of the owner label. */
  readonly instance: string;
  /** Where all rendered objects live. */
  readonly namespace: string;
}

/** One source, rendered. With an error among the problems there are no objects: a source counts whole or not at all. */
export interface Built {
  readonly source: Source;
  readonly objects: readonly DesiredObject[];
  readonly problems: readonly Problem[];
  /** The checked values; absent when they do not fit the schema. */
  readonly values?: HeraldValues;
  /** Why the source cannot be read yet. What is live of it stays, and nobody else may take it. */
  readonly waiting?: string;
}

type Section =
  | 'pools'
  | 'l2Advertisements'
  | 'bgpAdvertisements'
  | 'bgpPeers'
  | 'bfdProfiles'
  | 'communities';

const SECTIONS: readonly (readonly [Section, Address, JsonObject])[] = [
  ['communities', Communities, schemaJson(communitySpec)],
  ['bfdProfiles', BFDProfiles, schemaJson(bfdProfileSpec)],
  ['bgpPeers', BGPPeers, schemaJson(peerSpec)],
  ['pools', IPAddressPools, schemaJson(poolSpec)],
  ['l2Advertisements', L2Advertisements, schemaJson(l2AdvertisementSpec)],
  ['bgpAdvertisements', BGPAdvertisements, schemaJson(bgpAdvertisementSpec)],
];

/** Renders one source by itself; what depends on other sources and on the cluster is settled afterwards. */
export function build(source: Source, target: Target): Built {
  const checked = checkValues(source.values);
  if ('problems' in checked) {
    const further = findingsOf(legiblePools(source, target)).map((finding) => problemOf(source, finding));
    const problems = [...checked.problems.map((p) => located(source, p)), ...further];
    return { source, objects: [], problems };
  }
  const { values, warnings } = checked;
  const objects = SECTIONS.flatMap(([section, kind, schema]) =>
    Object.entries(values[section] ?? {}).flatMap(([name, entry]) =>
      render({ source, target, kind, schema, name, entry: toJson(entry), path: pathText([section, name]) }),
    ),
  );
  const problems = [
    ...warnings.map((p) => located(source, p)),
    ...objects.flatMap((o) => nameProblem(source, o)),
    ...findingsOf(objects).map((finding) => problemOf(source, finding)),
    ...openPasswords(source, values),
    ...policyWarnings(source, values),
  ];
  return { source, objects: problems.some(isError) ? [] : objects, problems, values };
}

interface Entry {
  readonly source: Source;
  readonly target: Target;
  readonly kind: Address;
  readonly schema: JsonObject;
  readonly name: string;
  readonly entry: ReturnType<typeof toJson>;
  readonly path: string;
}

/** Pools whose ranges can be read although the values as a whole do not fit: all mistakes are told in one go. */
function legiblePools(source: Source, target: Target): DesiredObject[] {
  const values = toJson(source.values ?? null);
  const pools = isObject(values) ? values.pools : undefined;
  return Object.entries(isObject(pools) ? pools : {}).flatMap(([name, pool]) => {
    const addresses = isObject(pool) ? pool.addresses : undefined;
    if (!Array.isArray(addresses) || !addresses.every((a: unknown) => typeof a === 'string')) return [];
    const entry = { addresses };
    return render({
      source,
      target,
      kind: IPAddressPools,
      schema: {},
      name,
      entry,
      path: pathText(['pools', name]),
    });
  });
}

/** The object of one entry, and for a peer with a password the Secret that holds it. */
function render({ source, target, kind, schema, name, entry, path }: Entry): DesiredObject[] {
  const { labels, annotations, onChange: _, ...given } = isObject(entry) ? entry : {};
  const common = { namespace: target.namespace, source: source.name };
  const object: DesiredObject = {
    ...common,
    ...metadata({ labels: texts(labels), annotations: texts(annotations) }, target, `${source.name}#${path}`),
    kind,
    name,
    path,
    content: { spec: withDefaults(schema, given) },
  };
  const { password, ...spec } = given;
  // With a passwordSecret beside it the mistake is reported; nothing is rendered then.
  if (kind !== BGPPeers || typeof password !== 'string' || password === '' || isObject(spec.passwordSecret))
    return [object];
  const secretName = joinName('-', target.instance, 'peer', name);
  const passwordSecret = { name: secretName, namespace: target.namespace };
  const secret: DesiredObject = {
    ...common,
    ...metadata({ labels: {}, annotations: {} }, target, `${source.name}#${path}.password`),
    kind: Secrets,
    name: secretName,
    path: `${path}.password`,
    content: new Sealed<JsonObject>({
      type: 'kubernetes.io/basic-auth',
      data: { password: base64(password) },
    }),
  };
  return [secret, { ...object, content: { spec: withDefaults(schema, { ...spec, passwordSecret }) } }];
}

interface Extra {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The entry's labels and annotations and ours, which win. */
function metadata(extra: Extra, target: Target, from: string): Extra {
  const added = [
    ...Object.keys(extra.labels).map((key) => `label ${key}`),
    ...Object.keys(extra.annotations).map((key) => `annotation ${key}`),
  ].sort();
  return {
    labels: { ...extra.labels, [INSTANCE]: target.instance },
    annotations: {
      ...extra.annotations,
      [FROM]: from,
      ...(added.length > 0 && { [EXTRA]: added.join(', ') }),
    },
  };
}

function texts(value: unknown): Readonly<Record<string, string>> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter((e): e is [string, string] => typeof e[1] === 'string'));
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}

function nameProblem(source: Source, object: DesiredObject): Problem[] {
  if (isObjectName(object.name)) return [];
  const proposal = proposeName(object.name);
  return [
    problemOf(source, {
      code: 'InvalidName',
      object: idOf(object),
      path: object.path,
      message: 'is not a name that Kubernetes takes (lower-case letters, digits, "-" and ".")',
      ...(proposal !== undefined && { hint: `"${proposal}" would do` }),
    }),
  ];
}

function openPasswords(source: Source, { bgpPeers = {} }: HeraldValues): Problem[] {
  if (!source.open) return [];
  return Object.entries(bgpPeers)
    .filter(([, peer]) => peer.password)
    .map(([name]) =>
      problemOf(source, {
        code: 'PasswordInOpen',
        object: `${BGPPeers.kind} ${name}`,
        path: pathText(['bgpPeers', name, 'password']),
        message: 'does not belong into a ConfigMap',
        hint: 'put it into a Secret of type kubernetes.io/basic-auth and name that in passwordSecret',
      }),
    );
}

/** Words that are accepted because they will mean something, and do nothing yet. */
function policyWarnings(source: Source, values: HeraldValues): Problem[] {
  const paths = SECTIONS.flatMap(([section]) =>
    Object.entries(values[section] ?? {})
      .filter(([, entry]) => entry.onChange !== undefined && entry.onChange !== 'force')
      .map(([name]) => pathText([section, name, 'onChange'])),
  );
  if (values.change?.policy !== undefined && values.change.policy !== 'force') paths.push('change.policy');
  return paths.map((path) =>
    problemOf(source, {
      code: 'NotSupported',
      severity: 'warning',
      path,
      message: 'has no effect in this version: changes are carried out as they come',
    }),
  );
}
