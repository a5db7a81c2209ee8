import { type Path, pathText } from '../../api/check.ts';
import type { Draft } from '../draft.ts';
import type { Json, JsonObject } from '../json.ts';
import { proposeName } from '../names.ts';
import { hasAll, listAt, mapAt, type Tell, tellUnknown } from './foreign.ts';
import { passwordOf, printed, quoted, translate } from './kubespray.ts';

interface Context {
  readonly path: Path;
  readonly tell: Tell;
  /** The scalar at a place as it was written. */
  readonly text?: (path: Path) => string | undefined;
}

/** `metallb_config.layer3`: communities, and for each peer the peer and its advertisements. */
export function layer3Drafts(value: Json | undefined, context: Context): Draft[] {
  const { path, tell } = context;
  const layer3 = mapAt(value, path, tell);
  if (!layer3) return [];
  tellUnknown(layer3, path, { known: ['defaults', 'communities', 'metallb_peers'], tell });
  const defaults = mapAt(layer3.defaults, [...path, 'defaults'], tell) ?? {};
  tellUnknown(defaults, [...path, 'defaults'], { known: ['peer_port', 'hold_time'], tell });
  const aliases = mapAt(layer3.communities, [...path, 'communities'], tell) ?? {};
  const peers = mapAt(layer3.metallb_peers, [...path, 'metallb_peers'], tell);
  if (!peers) hasAll(layer3, path, { keys: ['metallb_peers'], tell });
  return [
    ...communityDrafts(aliases, { ...context, path: [...path, 'communities'] }),
    ...Object.entries(peers ?? {}).flatMap(([name, entry]) => {
      const at: Path = [...path, 'metallb_peers', name];
      const peer = mapAt(entry ?? {}, at, tell);
      return peer ? peerDrafts(name, peer, { ...context, path: at, defaults, layer3: path }) : [];
    }),
  ];
}

/** What everybody calls by these names; the template adds them to whatever else is defined. */
const WELL_KNOWN = [
  { name: 'no-export', value: '65535:65281' },
  { name: 'no-advertise', value: '65535:65282' },
  { name: 'local-as', value: '65535:65283' },
  { name: 'nopeer', value: '65535:65284' },
];

/** One object for each alias, named like it as far as names allow, and one for the well-known ones that are left. */
function communityDrafts(aliases: JsonObject, context: Context): Draft[] {
  const own = Object.entries(aliases).map(([alias, value]): Draft => {
    const path: Path = [...context.path, alias];
    const place = pathText(path);
    const fields = new Map([
      ['communities[0].name', place],
      ['communities[0].value', place],
    ]);
    return {
      section: 'communities',
      // The name of the object is nobody's to see; advertisements use the alias.
      name: proposeName(alias.replaceAll('_', '-')) ?? alias,
      path: place,
      fields,
      spec: { communities: [{ name: alias, value: communityText(value, path, context) }] },
    };
  });
  const left = WELL_KNOWN.filter(({ name }) => !(name in aliases));
  const path = pathText(context.path);
  return left.length === 0
    ? own
    : [...own, { section: 'communities', name: 'well-known', path, spec: { communities: left } }];
}

/** Without quotes `1234:1` is the number 74041 to Ansible. */
function communityText(value: Json, path: Path, { tell, text }: Context): Json {
  if (typeof value !== 'number') return value;
  tell({
    code: 'ReadOtherwise',
    path: pathText(path),
    message: 'is a number to Ansible, which counts a:b without quotes in base 60',
    hint: 'put it in quotes',
  });
  return text?.(path) ?? String(value);
}

interface PeerContext extends Context {
  readonly defaults: JsonObject;
  /** Where the defaults stand. */
  readonly layer3: Path;
}

const REQUIRED = ['peer_address', 'peer_asn', 'my_asn', 'address_pool'];
const KNOWN = [
  ...REQUIRED,
  'communities',
  'aggregation_length',
  'localpref',
  'peer_port',
  'hold_time',
  'router_id',
  'password',
  'multihop',
  'source_address',
];

function peerDrafts(name: string, peer: JsonObject, context: PeerContext): Draft[] {
  const { path, tell } = context;
  tellUnknown(peer, path, { known: KNOWN, tell });
  if (peer.source_address !== undefined)
    tell({
      code: 'NoEffect',
      severity: 'warning',
      path: pathText([...path, 'source_address']),
      message: 'has no effect',
      hint: "Kubespray's documentation has it, and its template does not render it; take it out",
    });
  const complete = hasAll(peer, path, { keys: REQUIRED, tell });
  const port = peer.peer_port ?? context.defaults.peer_port ?? undefined;
  if (port === undefined)
    tell({
      code: 'MissingKey',
      path: pathText([...path, 'peer_port']),
      message: 'is required, here or in layer3.defaults',
      hint: 'peer_port: 179 is what BGP uses',
    });
  const ads = advertisements(name, peer, context);
  return complete && port !== undefined ? [...ads, session(name, peer, { ...context, port })] : [];
}

function session(name: string, peer: JsonObject, context: PeerContext & { readonly port: Json }): Draft {
  const { path, tell, defaults, layer3, port } = context;
  const { hold_time: hold = defaults.hold_time } = peer;
  const { spec, fields } = translate(
    { ...peer, peer_port: port, ...(hold !== undefined && { hold_time: hold }) },
    path,
    [
      ['myASN', 'my_asn', printed],
      ['peerASN', 'peer_asn', printed],
      ['peerAddress', 'peer_address', printed],
      ['peerPort', 'peer_port', printed],
      ['password', 'password', (value) => passwordOf(value, pathText([...path, 'password']), tell)],
      ['routerID', 'router_id', quoted],
      ['holdTime', 'hold_time', printed],
      ['ebgpMultiHop', 'multihop', printed],
    ],
  );
  for (const [field, key] of [
    ['peerPort', 'peer_port'],
    ['holdTime', 'hold_time'],
  ] as const)
    if (peer[key] === undefined) fields.set(field, pathText([...layer3, 'defaults', key]));
  return { section: 'bgpPeers', name, path: pathText(path), fields, spec };
}

/**
 * `<peer>-external`, and with an aggregation length up to 30 `<peer>-local` before it, for the addresses themselves. Neither names
 * its peer: every pool goes to every peer, as the template has it.
 */
function advertisements(name: string, peer: JsonObject, context: PeerContext): Draft[] {
  const { path, tell } = context;
  const length = lengthOf(peer, context);
  const pools = listAt(peer.address_pool, [...path, 'address_pool'], tell)?.map(
    (pool) => quoted(pool) ?? null,
  );
  const communities = listAt(peer.communities, [...path, 'communities'], tell)?.map((community, i) =>
    communityText(community, [...path, 'communities', i], context),
  );
  const common = { section: 'bgpAdvertisements', path: pathText(path) } as const;
  const places = (keys: readonly (readonly [string, string])[]) =>
    new Map(keys.map(([field, key]) => [field, pathText([...path, key])]));
  const external: Draft = {
    ...common,
    name: `${name}-external`,
    fields: places([
      ['ipAddressPools', 'address_pool'],
      ['communities', 'communities'],
      ['aggregationLength', 'aggregation_length'],
      ['localPref', 'localpref'],
    ]),
    spec: {
      ...(pools && { ipAddressPools: pools }),
      ...(communities && { communities }),
      ...(length !== undefined && { aggregationLength: length }),
    },
  };
  if (length === undefined) return [external];
  const local: Draft = {
    ...common,
    name: `${name}-local`,
    fields: places([
      ['ipAddressPools', 'address_pool'],
      ['localPref', 'localpref'],
    ]),
    spec: {
      aggregationLength: 32,
      aggregationLengthV6: 128,
      communities: ['no-advertise'],
      localPref: printed(peer.localpref) ?? 100,
      ...(pools && { ipAddressPools: pools }),
    },
  };
  return [local, external];
}

/** Above 30 the template leaves it out. */
function lengthOf(peer: JsonObject, { path, tell }: Context): Json | undefined {
  const { aggregation_length: length, localpref } = peer;
  const place = pathText([...path, 'aggregation_length']);
  const used = typeof length === 'number' ? length <= 30 : length !== undefined && length !== null;
  if (typeof length === 'number' && !used)
    tell({ code: 'NoEffect', severity: 'warning', path: place, message: 'has no effect above 30' });
  if (localpref !== undefined && !used)
    tell({
      code: 'NoEffect',
      severity: 'warning',
      path: pathText([...path, 'localpref']),
      message: 'has no effect without an aggregation_length up to 30',
    });
  return used ? length : undefined;
}
