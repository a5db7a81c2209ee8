import { type Path, pathText } from '../../api/check.ts';
import type { Draft } from '../draft.ts';
import { isObject, type Json, type JsonObject, textOfJson } from '../json.ts';
import { hasAll, listAt, mapAt, type Tell, tellUnknown } from './foreign.ts';
import { passwordOf, printed, translate, type Vars } from './kubespray.ts';

/** `metallb_peers` as MetalLB 0.12 read it from its ConfigMap, under the names of upstream's converter. */
export function peersOf({ vars, tell }: Vars, o: { readonly required: boolean }): Draft[] {
  const key = 'metallb_peers';
  const peers = listAt(vars[key], [key], tell) ?? [];
  if (o.required && peers.length === 0 && !isObject(vars[key]))
    tell({ code: 'MissingKey', path: key, message: 'is required where metallb_protocol is bgp' });
  return peers.flatMap((entry, i) => {
    const peer = mapAt(entry, [key, i], tell);
    return peer ? peerDraft(peer, { n: i + 1, path: [key, i], tell }) : [];
  });
}

const REQUIRED = ['peer_address', 'peer_asn', 'my_asn'];
const KNOWN = [...REQUIRED, 'password', 'source_address', 'node_selectors'];

interface Context {
  readonly n: number;
  readonly path: Path;
  readonly tell: Tell;
}

function peerDraft(peer: JsonObject, { n, path, tell }: Context): Draft[] {
  tellUnknown(peer, path, { known: KNOWN, tell });
  if (!hasAll(peer, path, { keys: REQUIRED, tell })) return [];
  const { spec, fields } = translate(peer, path, [
    ['myASN', 'my_asn', printed],
    ['peerASN', 'peer_asn', printed],
    ['peerAddress', 'peer_address', printed],
    ['sourceAddress', 'source_address', printed],
    ['password', 'password', (value) => passwordOf(value, pathText([...path, 'password']), tell)],
  ]);
  const selectors = selectorsOf(peer.node_selectors, [...path, 'node_selectors'], tell);
  for (const [field, place] of selectors?.fields ?? []) fields.set(field, place);
  return [
    {
      section: 'bgpPeers',
      name: `peer${n}`,
      path: pathText(path),
      fields,
      // The hold time that 0.12 took without being told.
      spec: { ...spec, ...(selectors && { nodeSelectors: selectors.list }), holdTime: '1m30s' },
    },
  ];
}

interface Selectors {
  readonly list: readonly Json[];
  readonly fields: ReadonlyMap<string, string>;
}

/** Selectors in the spelling of MetalLB 0.12, which refuses every other: an overlooked key would select all nodes. */
function selectorsOf(value: Json | undefined, path: Path, tell: Tell): Selectors | undefined {
  const given = listAt(value, path, tell) ?? [];
  if (given.length === 0) return undefined;
  const fields = new Map([['nodeSelectors', pathText(path)]]);
  const list = given.map((entry, i): Json => {
    const at: Path = [...path, i];
    const selector = mapAt(entry, at, tell) ?? {};
    const { 'match-labels': labels, 'match-expressions': expressions, ...others } = selector;
    for (const key of Object.keys(others))
      tell({
        code: 'UnknownKey',
        path: pathText([...at, key]),
        message: 'is not a key of a node selector',
        hint: 'MetalLB 0.12 spells them match-labels and match-expressions',
      });
    fields.set(`nodeSelectors[${i}].matchLabels`, pathText([...at, 'match-labels']));
    fields.set(`nodeSelectors[${i}].matchExpressions`, pathText([...at, 'match-expressions']));
    return {
      ...(isObject(labels) && { matchLabels: texts(labels) }),
      ...(expressions !== undefined && { matchExpressions: texts(expressions) }),
    };
  });
  return { list, fields };
}

/** Go takes every scalar for the text of a label. */
function texts(value: Json): Json {
  if (Array.isArray(value)) return value.map(texts);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, texts(v)]));
  return value === null ? '' : textOfJson(value);
}
