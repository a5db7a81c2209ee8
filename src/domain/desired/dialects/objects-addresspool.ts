import { checker, type Path, pathText } from '../../api/check.ts';
import { withoutNulls } from '../../api/kind.ts';
import { communityForm } from '../../api/metallb/community.ts';
import { addressPoolCrd } from '../../api/operator.ts';
import { anything, type Schema } from '../../api/schema.ts';
import { forValues } from '../../api/values/strict.ts';
import { misfitProblems } from '../../api/values.ts';
import { parseAddress, WIDTH } from '../../ip/address.ts';
import type { Draft } from '../draft.ts';
import { isObject, type Json, type JsonObject, toJson } from '../json.ts';
import { joinName } from '../names.ts';
import { pathOf } from '../path.ts';
import type { Finding } from '../source.ts';
import type { Manifest, Told } from './objects-manifest.ts';
import { placesOf, readExtra } from './objects-native.ts';

const SPEC: Schema = addressPoolCrd.versions[0]?.spec ?? anything();
const check = checker(forValues(SPEC, { closed: true }));

/**
 * An AddressPool, as OpenShift's operator took it up to 4.11: a pool and its announcement in one. Advertisements are named after the
 * pool, so that a new pool renames nobody else's.
 */
export function readAddressPool(manifest: Manifest): Told {
  const spec = asObject(withoutNulls(manifest.spec));
  const name = nameOf(manifest, spec);
  const { extra, findings } = readExtra(manifest);
  const place = (...steps: Path) => pathText([...manifest.path, 'spec', ...steps]);
  const addresses = widened(spec.addresses);
  const pool: Draft = {
    section: 'pools',
    name,
    spec: {
      ...(addresses.all !== undefined && { addresses: addresses.all }),
      ...(spec.autoAssign !== undefined && { autoAssign: spec.autoAssign }),
    },
    ...extra,
    ...placesOf(manifest),
    subject: manifest.subject,
  };
  const advertisements = advertisementsOf(manifest, spec, name);
  const told = [
    ...schemaFindings(manifest, spec),
    ...addresses.widened.map(
      (i): Finding => ({
        code: 'AddressWidened',
        severity: 'notice',
        path: place('addresses', i),
        message: 'is a single address, and is read as the block of that one address',
        hint: "OpenShift's manual allows it, MetalLB takes CIDRs and ranges alone; an IPAddressPool needs /32 or /128",
      }),
    ),
    ...protocolFindings(spec).map((f) => ({ ...f, path: place(...pathOf(f.path)) })),
  ];
  return {
    drafts: name === '' ? [] : [pool, ...advertisements],
    findings: [...findings, ...told.map((f) => ({ ...f, object: manifest.subject }))],
  };
}

/** v1alpha1 had a name of its own for the pool. */
function nameOf({ version, name }: Manifest, spec: JsonObject): string {
  return version === 'v1alpha1' && typeof spec.name === 'string' && spec.name !== '' ? spec.name : name;
}

/** The pool's own fields are judged as those of an IPAddressPool; here, all that is beside them. */
function schemaFindings({ version, path }: Manifest, spec: JsonObject): readonly Finding[] {
  const here = (rest: Path) => pathText([...path, 'spec', ...rest]);
  const misfits = check.misfits(spec).filter((m) => m.path[0] !== 'addresses' && m.path[0] !== 'autoAssign');
  const found = misfitProblems(misfits, spec).map(({ code, path: field, message, hint }): Finding => {
    const unknown = code === 'UnknownKey';
    return {
      code: unknown ? 'UnknownKey' : code === 'MissingKey' ? 'MissingKey' : 'InvalidValue',
      path: here(pathOf(field)),
      message: unknown ? 'is not a known field and has no effect' : message,
      ...(unknown && { severity: 'warning' }),
      ...(hint !== undefined && { hint }),
    };
  });
  if (version !== 'v1alpha1' && spec.name !== undefined)
    found.push({
      code: 'UnknownKey',
      severity: 'warning',
      path: here(['name']),
      message: 'is known to v1alpha1 only and has no effect',
    });
  return found;
}

/** The operator's manual allows single addresses, which MetalLB itself never took. */
function widened(addresses: Json | undefined): { readonly all?: Json; readonly widened: readonly number[] } {
  if (!Array.isArray(addresses)) return { ...(addresses !== undefined && { all: addresses }), widened: [] };
  const all = addresses.map((a: Json) => {
    const family = typeof a === 'string' ? parseAddress(a)?.family : undefined;
    return typeof a !== 'string' || family === undefined ? a : `${a}/${widthOf(a, family)}`;
  });
  return { all, widened: all.flatMap((a, i) => (a === addresses[i] ? [] : [i])) };
}

/** An IPv4-mapped address has the length of its IPv6 text. */
function widthOf(text: string, family: 'IPv4' | 'IPv6'): number {
  return text.includes(':') ? WIDTH.IPv6 : WIDTH[family];
}

function protocolFindings(spec: JsonObject): readonly Finding[] {
  const ads = Array.isArray(spec.bgpAdvertisements) ? spec.bgpAdvertisements : [];
  if (spec.protocol === 'layer2' && ads.length > 0)
    return [
      {
        code: 'ProtocolMismatch',
        path: 'bgpAdvertisements',
        message: 'is for pools with protocol bgp',
        hint: 'take it out, or change the protocol',
      },
    ];
  return ads.flatMap((ad: Json, i) => {
    const communities = isObject(ad) && Array.isArray(ad.communities) ? ad.communities : [];
    return communities.flatMap((community: Json, j): Finding[] =>
      typeof community !== 'string' || communityForm(community) === 'legacy'
        ? []
        : [
            {
              code: 'CommunityInvalid',
              path: `bgpAdvertisements[${i}].communities[${j}]`,
              message: 'is not "a:b" of two numbers up to 65535',
            },
          ],
    );
  });
}

function advertisementsOf(manifest: Manifest, spec: JsonObject, pool: string): readonly Draft[] {
  const nameField = pathText([...manifest.path, 'metadata', 'name']);
  const draft = (place: Path, given: Pick<Draft, 'section' | 'name'>, fields: JsonObject = {}): Draft => {
    const path: Path = [...manifest.path, 'spec', ...place];
    const places = placesOf(manifest, path);
    places.fields.set('ipAddressPools[0]', nameField);
    return {
      ...given,
      spec: { ...fields, ipAddressPools: [pool] },
      ...places,
      path: pathText(path),
      subject: manifest.subject,
    };
  };
  const bgp = (n: number) =>
    ({ section: 'bgpAdvertisements', name: joinName('-', pool, 'bgp', String(n)) }) as const;
  if (spec.protocol === 'layer2')
    return [draft(['protocol'], { section: 'l2Advertisements', name: joinName('-', pool, 'l2') })];
  if (spec.protocol !== 'bgp') return [];
  const given = Array.isArray(spec.bgpAdvertisements) ? spec.bgpAdvertisements : [];
  if (given.length === 0) return [draft(['protocol'], bgp(1))];
  return given.map((ad: Json, i) => draft(['bgpAdvertisements', i], bgp(i + 1), knownFields(ad)));
}

const ADVERTISEMENT = ['aggregationLength', 'aggregationLengthV6', 'localPref', 'communities'];

/** What is not known here was told already. */
function knownFields(ad: Json): JsonObject {
  return Object.fromEntries(Object.entries(asObject(ad)).filter(([key]) => ADVERTISEMENT.includes(key)));
}

function asObject(value: unknown): JsonObject {
  const json = toJson(value ?? null);
  return isObject(json) ? json : {};
}
