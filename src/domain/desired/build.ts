import { FROM, INSTANCE, ON_CHANGE } from '../api/annotations.ts';
import { pathText } from '../api/check.ts';
import { Secrets } from '../api/core.ts';
import { AddressQuotas, addressQuotaSpec, Reservations, reservationSpec } from '../api/herald.ts';
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
import { behaviourOf, type HeraldValues } from '../api/values.ts';
import { schemaJson, withDefaults } from './defaults.ts';
import type { Dialect, Target } from './dialects/dialect.ts';
import { native } from './dialects/native.ts';
import { unrendered } from './dialects/placeholders.ts';
import { read } from './dialects/read.ts';
import type { Draft, Section } from './draft.ts';
import { fitDraft } from './fit.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { isObjectName, joinName, proposeName } from './names.ts';
import { type Address, type DesiredObject, EXTRA, idOf } from './object.ts';
import { type Place, pathOf, placeOf } from './path.ts';
import { findingsOf } from './rules.ts';
import { Sealed } from './sealed.ts';
import { isError, problemOf, type Source } from './source.ts';

/** One source, rendered. With an error among the problems there are no objects: a source counts whole or not at all. */
export interface Built {
  /** As it was read: in the typing of its dialect. */
  readonly source: Source;
  /** Name of the dialect; absent where it cannot be told. */
  readonly dialect?: string;
  readonly objects: readonly DesiredObject[];
  readonly problems: readonly Problem[];
  /** What the values say beside objects: change, source, sources, admission. Absent when they do not fit the schema. */
  readonly values?: HeraldValues;
  /** Chart values that the source's installation settings amount to, in dialects that have such. */
  readonly settings?: JsonObject;
  /** Others announce its pools: that nothing here does is no mistake. */
  readonly elsewhere?: true;
  /** Why the source cannot be read yet. What is live of it stays, and nobody else may take it. */
  readonly waiting?: string;
}

const KINDS: Readonly<Record<Section, readonly [Address, JsonObject]>> = {
  communities: [Communities, schemaJson(communitySpec)],
  bfdProfiles: [BFDProfiles, schemaJson(bfdProfileSpec)],
  bgpPeers: [BGPPeers, schemaJson(peerSpec)],
  pools: [IPAddressPools, schemaJson(poolSpec)],
  l2Advertisements: [L2Advertisements, schemaJson(l2AdvertisementSpec)],
  bgpAdvertisements: [BGPAdvertisements, schemaJson(bgpAdvertisementSpec)],
  reservations: [Reservations, schemaJson(reservationSpec)],
  quotas: [AddressQuotas, schemaJson(addressQuotaSpec)],
};

/** Renders one source by itself; what depends on other sources and on the cluster is settled afterwards. */
export function build(given: Source, target: Target): Built {
  const { source, dialect, reading } = read(given, target);
  const { drafts, settings, elsewhere, values = behaviourOf(source.values) } = reading;
  const fitted = drafts.map((draft) =>
    dialect === native ? { draft, problems: [] } : fitDraft(source, draft),
  );
  const objects = fitted.flatMap(({ draft }) => (draft ? render(draft, source, target) : []));
  const problems = withoutEchoes(reading.problems, [
    ...drafts.flatMap((draft) => placeholders(source, draft)),
    ...drafts.flatMap((draft, i) =>
      (fitted[i]?.problems ?? []).map((p) => ({ object: idOfDraft(draft), ...p })),
    ),
    ...collisions(source, drafts),
    ...objects.flatMap((o) => nameProblem(source, o)),
    ...findingsOf(objects, target.bgp).map((finding) => problemOf(source, finding)),
    ...openPasswords(source, drafts, dialect),
  ]).map(asWritten(drafts));
  return {
    source,
    objects: problems.some(isError) ? [] : objects,
    problems,
    ...(dialect && { dialect: dialect.name }),
    ...(values && { values }),
    ...(settings && { settings }),
    ...(elsewhere && { elsewhere }),
  };
}

/** Puts the object's name in the words of the source into what is said about it. */
function asWritten(drafts: readonly Draft[]): (problem: Problem) => Problem {
  const subjects = new Map(drafts.map((draft) => [idOfDraft(draft), draft.subject]));
  return (problem) => {
    const subject = subjects.get(problem.object ?? '');
    return subject === undefined ? problem : { ...problem, object: subject };
  };
}

/** Text in the place of names and fields that a tool was to replace. */
function placeholders(source: Source, draft: Draft): readonly Problem[] {
  const inName = unrendered(draft.name, []).map((f) => ({ ...f, path: nameOf(draft) }));
  const inSpec = unrendered(draft.spec, []).map((f) => ({ ...f, path: placeOf(draft, f.path) }));
  const object = idOfDraft(draft);
  return [...inName, ...inSpec].map((finding) => problemOf(source, { object, ...finding }));
}

/** "IPAddressPool web": the object that a draft becomes. */
export function idOfDraft({ section, name }: Draft): string {
  return `${KINDS[section][0].kind} ${name}`;
}

function nameOf(place: Place): string {
  return placeOf(place, 'metadata.name');
}

/**
 * What is wrong with a placeholder as a value goes without saying, and that it is one is said once. What the dialect said of a
 * place in its own way is not said again.
 */
function withoutEchoes(own: readonly Problem[], others: readonly Problem[]): readonly Problem[] {
  const said = new Set(own.map((p) => `${p.code} ${p.path}`));
  const problems = [...own, ...others.filter((p) => !said.has(`${p.code} ${p.path}`))];
  const holes = new Set(problems.filter((p) => p.code === 'Unrendered').map((p) => p.path));
  const inHole = (path: string) => {
    const steps = pathOf(path);
    return steps.some((_, n) => holes.has(pathText(steps.slice(0, n + 1))));
  };
  const told = new Set<string>();
  return problems.filter((p) => {
    if (p.code !== 'Unrendered') return !inHole(p.path);
    const again = told.has(p.path);
    told.add(p.path);
    return !again;
  });
}

/** Two drafts of one kind and name: the second would overwrite the first. */
function collisions(source: Source, drafts: readonly Draft[]): readonly Problem[] {
  const first = new Map<string, Draft>();
  return drafts.flatMap((draft) => {
    const object = idOfDraft(draft);
    const other = first.get(object);
    if (!other) {
      first.set(object, draft);
      return [];
    }
    const message = `becomes ${object}, and so does ${other.path}`;
    return [
      problemOf(source, {
        code: 'NameCollision',
        object,
        path: nameOf(draft),
        message,
        hint: 'rename one of them',
      }),
    ];
  });
}

/** The object of one draft, and for a peer with a password the Secret that holds it. */
function render(draft: Draft, source: Source, target: Target): DesiredObject[] {
  const [kind, schema] = KINDS[draft.section];
  const { name, path, fields, spec: given, onChange } = draft;
  const common = { namespace: target.namespace, source: source.name };
  const extra = {
    labels: draft.labels ?? {},
    annotations: { ...draft.annotations, ...(onChange && { [ON_CHANGE]: onChange }) },
  };
  const object: DesiredObject = {
    ...common,
    ...metadata(extra, target, `${source.name}#${path}`),
    kind,
    name,
    path,
    ...(fields && { fields }),
    content: { spec: withDefaults(schema, given) },
  };
  const { password, ...spec } = given;
  // With a Secret beside it the mistake is reported; nothing is rendered then.
  if (
    kind !== BGPPeers ||
    typeof password !== 'string' ||
    password === '' ||
    namesSecret(spec.passwordSecret)
  )
    return [object];
  const secretName = joinName('-', target.instance, 'peer', name);
  const passwordSecret = { name: secretName, namespace: target.namespace };
  const place = placeOf(draft, 'password');
  const secret: DesiredObject = {
    ...common,
    ...metadata({ labels: {}, annotations: {} }, target, `${source.name}#${place}`),
    kind: Secrets,
    name: secretName,
    path: place,
    content: new Sealed<JsonObject>({
      type: 'kubernetes.io/basic-auth',
      data: { password: base64(password) },
    }),
  };
  return [secret, { ...object, content: { spec: withDefaults(schema, { ...spec, passwordSecret }) } }];
}

/** An empty reference is none, as upstream has it. */
function namesSecret(reference: Json | undefined): boolean {
  return isObject(reference) && reference.name !== undefined && reference.name !== '';
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
      path: nameOf(object),
      message: 'is not a name that Kubernetes takes (lower-case letters, digits, "-" and ".")',
      ...(proposal !== undefined && { hint: `"${proposal}" would do` }),
    }),
  ];
}

/** In Herald's own words it is a mistake. Who takes an old cluster over has it there already, and it moves into a Secret. */
function openPasswords(source: Source, drafts: readonly Draft[], dialect: Dialect | undefined): Problem[] {
  if (!source.open) return [];
  return drafts
    .filter(({ section, spec }) => section === 'bgpPeers' && spec.password)
    .map((draft) =>
      problemOf(source, {
        code: 'PasswordInOpen',
        object: `${BGPPeers.kind} ${draft.name}`,
        path: placeOf(draft, 'password'),
        ...(dialect !== native && { severity: 'warning' }),
        message: 'does not belong into a ConfigMap',
        hint: 'put it into a Secret of type kubernetes.io/basic-auth and name that in passwordSecret',
      }),
    );
}
