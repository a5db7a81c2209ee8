import { at, type Misfit, type Path, pathText } from '../../api/check.ts';
import { withoutNulls } from '../../api/kind.ts';
import { communityForm } from '../../api/metallb/community.ts';
import type { Problem } from '../../api/problem.ts';
import { misfitProblems } from '../../api/values.ts';
import { schemaJson } from '../defaults.ts';
import type { Draft, Reading } from '../draft.ts';
import { isObject, type Json, type JsonObject, sameJson, toJson } from '../json.ts';
import { legibleRanges, pathOf } from '../path.ts';
import { type Finding, located, problemOf, type Source } from '../source.ts';
import { convert, type Entry, type LegacyFile, objectName } from './legacy-convert.ts';
import { converted } from './legacy-names.ts';
import { checkFile, isCommunities, isPeer, isPool, isProfile, LEGACY_FILE } from './legacy-schema.ts';
import { unrendered } from './placeholders.ts';

/** The configuration of MetalLB 0.12 inside a source. */
export interface LegacyText {
  /** For lines, and for what may be told. */
  readonly source: Source;
  readonly value: unknown;
  /** Place of `value` in the source. */
  readonly base: Path;
  /** The scalar at a place of the source as it was written. */
  readonly text?: (path: Path) => string | undefined;
}

/** Reads it as 0.12 did: strictly, with every mistake told. Names are those that upstream's configmaptocrs gives. */
export function readLegacy({ source, value, base, text }: LegacyText): Reading {
  const tell = (finding: Finding) => problemOf(source, finding);
  const written = asWritten(toJson(value ?? null), base, { schema: schemaJson(LEGACY_FILE), text });
  const root = withoutNulls(written ?? {});
  const misfits = checkFile.misfits(root);
  const problems = misfitProblems(
    misfits.filter((m) => !isSaidByAnother(m, misfits)),
    root,
  ).map((problem) =>
    located(source, explained({ ...problem, path: pathText([...base, ...pathOf(problem.path)]) })),
  );
  const file = fileOf(root, { base, misfits });
  const drafts = [...convert(file), ...legiblePools(root, { base, misfits })];
  if (drafts.length === 0 && problems.length === 0)
    problems.push(
      tell({
        code: 'EmptySource',
        severity: 'notice',
        path: pathText(base),
        message: 'defines neither pools nor peers',
      }),
    );
  // What is no draft for it is not looked through by others.
  const holes = unrendered(root, base).map(tell);
  return { drafts, problems: [...holes, ...problems, ...[...mistakes(file), ...renames(file)].map(tell)] };
}

/** Go's yaml.v2 puts any scalar into a field for text, in the spelling of the file: a password 0123 stays 0123. */
function asWritten(
  value: Json,
  path: Path,
  { schema, text }: { readonly schema: JsonObject; readonly text: LegacyText['text'] },
): Json {
  if (Array.isArray(value)) {
    const items = isObject(schema.items) ? schema.items : {};
    return value.map((item: Json, i) => asWritten(item, [...path, i], { schema: items, text }));
  }
  if (isObject(value)) {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const others = isObject(schema.additionalProperties) ? schema.additionalProperties : {};
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        const property = Object.hasOwn(properties, key) ? properties[key] : others;
        return [key, asWritten(inner, [...path, key], { schema: isObject(property) ? property : {}, text })];
      }),
    );
  }
  const wantsText = [schema.type].flat().includes('string');
  return wantsText && (typeof value === 'number' || typeof value === 'boolean')
    ? (text?.(path) ?? String(value))
    : value;
}

/** What became of keys that no release of 0.7 to 0.12 knows. */
const GONE: Readonly<Record<string, Pick<Problem, 'message' | 'hint'>>> = {
  'peer-autodiscovery': {
    message: 'was in no release of MetalLB: it only ever existed on a branch',
    hint: 'list the peers under "peers", one for each group of nodes',
  },
  cidr: { message: 'went with MetalLB 0.3', hint: 'write it as "addresses"' },
  'arp-network': { message: 'went with MetalLB 0.3', hint: 'take it out' },
};

/** `cidr` stands in the place of the addresses that are missing then. */
function isSaidByAnother({ kind, path }: Misfit, misfits: readonly Misfit[]): boolean {
  const cidr = pathText([...path.slice(0, -1), 'cidr']);
  return (
    kind === 'required' &&
    path.at(-1) === 'addresses' &&
    misfits.some((other) => other.kind === 'unknownKey' && pathText(other.path) === cidr)
  );
}

function explained(problem: Problem): Problem {
  const key = pathOf(problem.path).at(-1);
  if (problem.code === 'UnknownKey' && typeof key === 'string' && Object.hasOwn(GONE, key))
    return { ...problem, ...GONE[key] };
  if (problem.code === 'InvalidValue' && key === 'protocol' && problem.hint === undefined)
    return { ...problem, hint: '"layer2" announces by ARP and NDP, "bgp" by BGP' };
  return problem;
}

interface Misread {
  readonly base: Path;
  readonly misfits: readonly Misfit[];
}

function fileOf(root: unknown, { base, misfits }: Misread): LegacyFile {
  const broken = new Set(
    misfits.filter(({ kind }) => kind !== 'unknownKey').map(({ path }) => pathText(path.slice(0, 2))),
  );
  const entries = <T>(key: string, fits: (value: unknown) => value is T): Entry<T>[] => {
    const list = at(root, [key]);
    if (!Array.isArray(list)) return [];
    return list.flatMap((value: unknown, i) =>
      !broken.has(pathText([key, i])) && fits(value) ? [{ value, path: [...base, key, i] }] : [],
    );
  };
  const aliases = at(root, ['bgp-communities']);
  return {
    peers: entries('peers', isPeer),
    pools: entries('address-pools', isPool),
    profiles: entries('bfd-profiles', isProfile),
    ...(isCommunities(aliases) && {
      communities: { value: aliases, path: [...base, 'bgp-communities'] },
    }),
  };
}

/** Ranges of pools that do not fit otherwise: they are judged all the same, so that all mistakes are told in one go. */
function legiblePools(root: unknown, { base, misfits }: Misread): readonly Draft[] {
  const list = at(root, ['address-pools']);
  if (!Array.isArray(list)) return [];
  return list.flatMap((pool: unknown, i): Draft[] => {
    const mine = misfits.filter(({ path }) => path[0] === 'address-pools' && path[1] === i);
    if (!mine.some(({ kind }) => kind !== 'unknownKey')) return [];
    const name = at(pool, ['name']);
    const path = [...base, 'address-pools', i];
    const ranges = legibleRanges(pool, (key) => pathText([...path, key]));
    if (!ranges) return [];
    return [
      {
        section: 'pools',
        name: objectName(typeof name === 'string' ? name : ''),
        path: pathText(path),
        fields: ranges.fields,
        spec: { addresses: ranges.texts },
      },
    ];
  });
}

/** What 0.12 refuses beyond types and what is refused of every source. */
function mistakes(file: LegacyFile): readonly Finding[] {
  return [
    ...file.pools.flatMap((pool) => advertisementMistakes(pool, file)),
    ...peerMistakes(file),
    ...Object.entries(file.communities?.value ?? {})
      .filter(([, value]) => communityForm(value) === 'large')
      .map(([alias]): Finding => {
        const path = pathText([...(file.communities?.path ?? []), alias]);
        return { code: 'CommunityInvalid', path, message: 'is not "a:b" of two numbers up to 65535' };
      }),
  ];
}

function advertisementMistakes({ value, path }: LegacyFile['pools'][number], file: LegacyFile): Finding[] {
  const ads = value['bgp-advertisements'] ?? [];
  const place: Path = [...path, 'bgp-advertisements'];
  if (value.protocol === 'layer2' && ads.length > 0)
    return [
      {
        code: 'ProtocolMismatch',
        path: pathText(place),
        message: 'is for pools with protocol bgp',
        hint: 'take it out, or change the protocol',
      },
    ];
  return ads.flatMap((ad, i) =>
    (ad.communities ?? []).flatMap((community, j): Finding[] => {
      const known = Object.hasOwn(file.communities?.value ?? {}, community);
      if (known || communityForm(community) === 'legacy' || community.includes(':')) return [];
      return [
        {
          code: 'UnknownCommunity',
          path: pathText([...place, i, 'communities', j]),
          message: 'is neither "a:b" nor an alias under bgp-communities',
        },
      ];
    }),
  );
}

function peerMistakes({ peers, profiles }: LegacyFile): readonly Finding[] {
  const known = new Set(profiles.map(({ value }) => value.name));
  const seen: Entry<Json>[] = [];
  return peers.flatMap(({ value, path }): Finding[] => {
    const json = toJson(value);
    const twin = seen.find((other) => sameJson(other.value, json));
    seen.push({ value: json, path });
    const profile = value['bfd-profile'];
    return [
      ...(twin
        ? [
            {
              code: 'PeerInvalid',
              path: pathText(path),
              message: `is the same as ${pathText(twin.path)}`,
            } as const,
          ]
        : []),
      ...(profile && !known.has(profile)
        ? [
            {
              code: 'UnknownBfdProfile',
              path: pathText([...path, 'bfd-profile']),
              message: 'there is no BFD profile of this name',
            } as const,
          ]
        : []),
    ];
  });
}

/** Services name pools in an annotation: whoever used the old name must learn the new one. */
function renames({ pools, profiles }: LegacyFile): readonly Finding[] {
  const nameless = [...pools, ...profiles].filter(({ value }) => converted(value.name) === undefined);
  return [
    ...nameless.map(
      ({ path }): Finding => ({
        code: 'InvalidName',
        path: pathText([...path, 'name']),
        message: 'has no letter that the name of an object could begin with',
      }),
    ),
    ...pools.flatMap(({ value, path }): Finding[] => {
      const name = converted(value.name);
      if (name === undefined || name === value.name) return [];
      const message = `becomes ${name}: Services that ask for the pool by its name must say that`;
      return [{ code: 'Renamed', severity: 'notice', path: pathText([...path, 'name']), message }];
    }),
  ];
}
