import { type Path, pathText } from '../../api/check.ts';
import type { LabelSelector } from '../../api/selector.ts';
import type { Draft } from '../draft.ts';
import { formatSeconds, parseDuration, SECOND } from '../duration.ts';
import { type JsonObject, toJson } from '../json.ts';
import { converted } from './legacy-names.ts';
import type {
  LegacyAdvertisement,
  LegacyCommunities,
  LegacyPeer,
  LegacyPool,
  LegacyProfile,
} from './legacy-schema.ts';

/** An entry of the file and where it stands in the source. */
export interface Entry<T> {
  readonly value: T;
  readonly path: Path;
}

/** What can be read of a file. */
export interface LegacyFile {
  readonly peers: readonly Entry<LegacyPeer>[];
  readonly pools: readonly Entry<LegacyPool>[];
  readonly profiles: readonly Entry<LegacyProfile>[];
  readonly communities?: Entry<LegacyCommunities>;
}

/** The objects that upstream's configmaptocrs makes, in its order and under its names. */
export function convert(file: LegacyFile): readonly Draft[] {
  return [
    ...file.peers.map(peerDraft),
    ...file.pools.map(poolDraft),
    ...bgpDrafts(file.pools),
    ...l2Drafts(file.pools),
    ...file.profiles.map(profileDraft),
    ...(file.communities ? communityDrafts(file.communities) : []),
  ];
}

/** Of a name without any letter nothing is left, and it is refused elsewhere. */
export function objectName(name: string): string {
  return converted(name) ?? 'nameless';
}

type Words = Readonly<Record<string, string>>;

const PEER_WORDS: Words = {
  myASN: 'my-asn',
  peerASN: 'peer-asn',
  peerAddress: 'peer-address',
  sourceAddress: 'source-address',
  peerPort: 'peer-port',
  holdTime: 'hold-time',
  keepaliveTime: 'keepalive-time',
  routerID: 'router-id',
  nodeSelectors: 'node-selectors',
  bfdProfile: 'bfd-profile',
  ebgpMultiHop: 'ebgp-multihop',
};
const POOL_WORDS: Words = {
  'metadata.name': 'name',
  autoAssign: 'auto-assign',
  avoidBuggyIPs: 'avoid-buggy-ips',
};
const ADVERTISEMENT_WORDS: Words = {
  aggregationLength: 'aggregation-length',
  aggregationLengthV6: 'aggregation-length-v6',
  localPref: 'localpref',
};
const PROFILE_WORDS: Words = {
  'metadata.name': 'name',
  receiveInterval: 'receive-interval',
  transmitInterval: 'transmit-interval',
  detectMultiplier: 'detect-multiplier',
  echoInterval: 'echo-interval',
  echoMode: 'echo-mode',
  passiveMode: 'passive-mode',
  minimumTtl: 'minimum-ttl',
};

/** Where each field stands under its old name. */
function placed(path: Path, words: Words): Map<string, string> {
  return new Map(Object.entries(words).map(([field, word]) => [field, pathText([...path, word])]));
}

/** Drops what is absent or says nothing: 0.12 read a missing field as an empty one. */
function spec(fields: Readonly<Record<string, unknown>>): JsonObject {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(given.map(([key, value]) => [key, toJson(value)]));
}

function peerDraft({ value, path }: Entry<LegacyPeer>, n: number): Draft {
  const selectors = value['node-selectors'] ?? [];
  const fields = placed(path, PEER_WORDS);
  for (const i of selectors.keys()) {
    const at: Path = [...path, 'node-selectors', i];
    fields.set(`nodeSelectors[${i}].matchLabels`, pathText([...at, 'match-labels']));
    fields.set(`nodeSelectors[${i}].matchExpressions`, pathText([...at, 'match-expressions']));
  }
  return {
    section: 'bgpPeers',
    name: `peer${n + 1}`,
    path: pathText(path),
    fields,
    spec: spec({
      myASN: value['my-asn'],
      peerASN: value['peer-asn'],
      peerAddress: value['peer-address'],
      sourceAddress: value['source-address'],
      peerPort: value['peer-port'] || undefined,
      holdTime: seconds(value['hold-time'] || '90s'),
      keepaliveTime: seconds(value['keepalive-time']),
      routerID: value['router-id'],
      nodeSelectors: selectors.length > 0 ? selectors.map(selectorOf) : undefined,
      password: value.password,
      bfdProfile: value['bfd-profile'] && objectName(value['bfd-profile']),
      ebgpMultiHop: value['ebgp-multihop'],
    }),
  };
}

/** Whole seconds, as BGP has them. What is no duration stays, and is refused where peers are judged. */
function seconds(text: string | undefined): string | undefined {
  const duration = text === undefined ? undefined : parseDuration(text);
  return duration === undefined || duration < 0n ? text : formatSeconds(duration / SECOND);
}

function selectorOf(raw: NonNullable<LegacyPeer['node-selectors']>[number]): LabelSelector {
  const { 'match-labels': matchLabels, 'match-expressions': expressions } = raw;
  const matchExpressions = expressions?.map(({ key = '', operator = '', values }) => ({
    key,
    operator,
    ...(values && { values }),
  }));
  return { ...(matchLabels && { matchLabels }), ...(matchExpressions && { matchExpressions }) };
}

function poolDraft({ value, path }: Entry<LegacyPool>): Draft {
  return {
    section: 'pools',
    name: objectName(value.name),
    path: pathText(path),
    fields: placed(path, POOL_WORDS),
    spec: spec({
      addresses: value.addresses,
      autoAssign: value['auto-assign'],
      avoidBuggyIPs: value['avoid-buggy-ips'],
    }),
  };
}

/** Numbered over all pools; a pool without advertisements of its own has one with defaults. */
function bgpDrafts(pools: readonly Entry<LegacyPool>[]): readonly Draft[] {
  return pools
    .filter(({ value }) => value.protocol === 'bgp')
    .flatMap(({ value, path }) => {
      const own = value['bgp-advertisements'] ?? [];
      const entries: readonly Entry<LegacyAdvertisement>[] =
        own.length === 0
          ? [{ value: {}, path }]
          : own.map((ad, i) => ({ value: ad, path: [...path, 'bgp-advertisements', i] }));
      return entries.map((entry) => ({ ...entry, pool: { value, path } }));
    })
    .map(({ value, path, pool }, n) => ({
      section: 'bgpAdvertisements',
      name: `bgpadvertisement${n + 1}`,
      path: pathText(path),
      fields: placed(path, ADVERTISEMENT_WORDS).set('ipAddressPools[0]', pathText([...pool.path, 'name'])),
      spec: spec({
        aggregationLength: value['aggregation-length'],
        aggregationLengthV6: value['aggregation-length-v6'],
        localPref: value.localpref,
        communities: value.communities,
        ipAddressPools: [objectName(pool.value.name)],
      }),
    }));
}

function l2Drafts(pools: readonly Entry<LegacyPool>[]): readonly Draft[] {
  return pools
    .filter(({ value }) => value.protocol === 'layer2')
    .map(({ value, path }, n) => ({
      section: 'l2Advertisements',
      name: `l2advertisement${n + 1}`,
      path: pathText(path),
      fields: new Map([['ipAddressPools[0]', pathText([...path, 'name'])]]),
      spec: { ipAddressPools: [objectName(value.name)] },
    }));
}

function profileDraft({ value, path }: Entry<LegacyProfile>): Draft {
  return {
    section: 'bfdProfiles',
    name: objectName(value.name),
    path: pathText(path),
    fields: placed(path, PROFILE_WORDS),
    spec: spec({
      receiveInterval: value['receive-interval'],
      transmitInterval: value['transmit-interval'],
      detectMultiplier: value['detect-multiplier'],
      echoInterval: value['echo-interval'],
      echoMode: value['echo-mode'] ?? false,
      passiveMode: value['passive-mode'] ?? false,
      minimumTtl: value['minimum-ttl'],
    }),
  };
}

/** One object for all aliases, sorted. */
function communityDrafts({ value, path }: Entry<LegacyCommunities>): readonly Draft[] {
  const aliases = Object.keys(value).sort();
  if (aliases.length === 0) return [];
  return [
    {
      section: 'communities',
      name: 'communities',
      path: pathText(path),
      fields: new Map(
        aliases.flatMap((alias, i) => {
          const place = pathText([...path, alias]);
          return ['', '.name', '.value'].map((field) => [`communities[${i}]${field}`, place] as const);
        }),
      ),
      spec: { communities: aliases.map((name) => ({ name, value: value[name] ?? '' })) },
    },
  ];
}
