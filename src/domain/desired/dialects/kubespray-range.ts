import { type Path, pathText } from '../../api/check.ts';
import type { Draft, Reading } from '../draft.ts';
import { isObject, type Json, type JsonObject, textOfJson, toJson } from '../json.ts';
import { type Finding, problemOf } from '../source.ts';
import type { Dialect } from './dialect.ts';
import { hasAll, listAt, mapAt, renamed, type Tell, tellUnknown, wordAt } from './foreign.ts';
import {
  gatesOf,
  printed,
  settingsOf,
  tellSpeakerOff,
  tellUnknownVars,
  translate,
  type Vars,
} from './kubespray.ts';
import { tellLeftOut } from './kubespray-calico.ts';
import { peersOf } from './kubespray-peers.ts';
import { converted } from './legacy-names.ts';
import { placeholderIn, unrenderedAt } from './placeholders.ts';

/**
 * The variables of Kubespray 2.14 to 2.21 (`metallb_ip_range`), and of its contrib role before that (`metallb.ip_range`). They were
 * rendered into MetalLB's ConfigMap: names are those that upstream's configmaptocrs gives to what stood there.
 */
export const kubesprayRange: Dialect = {
  name: 'kubespray-range',
  title: 'Kubespray (metallb_ip_range)',
  yaml: 'pyyaml',
  // Ansible warns of them.
  duplicates: 'last',
  evidence(values) {
    const vars = toJson(values ?? null);
    if (!isObject(vars) || 'metallb_config' in vars) return [];
    const contrib = isObject(vars.metallb) && 'ip_range' in vars.metallb ? ['metallb.ip_range'] : [];
    return [...Object.keys(vars).filter((key) => /^(metallb|matallb)_/.test(key)), ...contrib];
  },
  // Files of variables are shared with many other roles.
  hasRoot: () => true,
  read(source, target) {
    const vars = toJson(source.values ?? null);
    const findings: Finding[] = [];
    const tell = (finding: Finding) => findings.push(finding);
    const reading = isObject(vars) ? readVars({ vars, target, tell }) : { drafts: [] };
    return { ...reading, problems: findings.map((finding) => problemOf(source, finding)) };
  },
};

const KNOWN = [
  'metallb_enabled',
  'metallb_speaker_enabled',
  'metallb_ip_range',
  'metallb_pool_name',
  'metallb_protocol',
  'matallb_auto_assign',
  'metallb_auto_assign',
  'metallb_avoid_buggy_ips',
  'metallb_additional_address_pools',
  'metallb_peers',
];

function readVars(given: Vars): Omit<Reading, 'problems'> {
  const { vars, tell } = given;
  if (vars.metallb_ip_range === undefined && isObject(vars.metallb)) return readContrib(vars.metallb, tell);
  const gates = gatesOf(given);
  if (!gates.enabled) return { drafts: [] };
  tellUnknownVars(given, KNOWN);
  if (!isWanted(vars))
    tell({
      code: 'EmptySource',
      severity: 'notice',
      path: '',
      message: 'has neither metallb_ip_range nor metallb_config: nothing is rendered from it',
    });
  const pools = [...mainPool(given), ...additionalPools(given)];
  const drafts = pools.flatMap((pool) => poolDraft(pool, tell));
  const settings = settingsOf(given, gates, {
    controller: {
      nodeselector: vars.metallb_controller_nodeselector,
      tolerations: vars.metallb_controller_tolerations,
    },
    speaker: {
      nodeselector: vars.metallb_speaker_nodeselector,
      tolerations: vars.metallb_speaker_tolerations,
    },
  });
  if (gates.speaker)
    return {
      ...settings,
      drafts: [
        ...peersOf(given, { required: vars.metallb_protocol === 'bgp' }),
        ...drafts,
        ...advertisements(pools),
      ],
    };
  tellSpeakerOff(given);
  tellLeftOut(given, drafts);
  return { ...settings, drafts, elsewhere: true };
}

/** Whether there is anything that the role would render, so that its main pool is required. */
function isWanted(vars: JsonObject): boolean {
  return (
    ['metallb_ip_range', 'metallb_additional_address_pools', 'metallb_peers'].some((key) => key in vars) ||
    vars.metallb_protocol === 'bgp'
  );
}

/** A pool as the variables say it. */
interface Pool {
  readonly name: string;
  /** Where the name stands. */
  readonly named: string;
  readonly protocol: unknown;
  readonly draft: Omit<Draft, 'section' | 'name'>;
}

/** The role of before 2.14 knew one range and nothing else. */
function readContrib(metallb: JsonObject, tell: Tell): Omit<Reading, 'problems'> {
  tellUnknown(metallb, ['metallb'], { known: ['ip_range', 'limits', 'port', 'version'], tell });
  const { ip_range: range } = metallb;
  const path = 'metallb.ip_range';
  if (typeof range !== 'string' || range.trim() === '') {
    tell({ code: 'WrongType', path, message: 'must be one range, as text' });
    return { drafts: [] };
  }
  const fields = new Map(['addresses', 'addresses[0]'].map((field) => [field, path]));
  const draft = { path: 'metallb', fields, spec: { addresses: [entryText(range)] } };
  const pool: Pool = { name: 'loadbalanced', named: path, protocol: 'layer2', draft };
  return { drafts: [...poolDraft(pool, tell), ...advertisements([pool])] };
}

function mainPool({ vars, tell }: Vars): Pool[] {
  const switches = mainSwitches({ vars, tell });
  const key = 'metallb_ip_range';
  const addresses = listAt(vars[key], [key], tell);
  const { metallb_pool_name: name = 'loadbalanced', metallb_protocol: protocol = 'layer2' } = vars;
  const known = wordAt(protocol, ['metallb_protocol'], { words: ['layer2', 'bgp'], tell });
  if (!addresses || addresses.length === 0) {
    if (isWanted(vars) && (addresses || vars[key] === undefined || vars[key] === null))
      tell({ code: 'MissingKey', path: key, message: 'is required, and must have a range' });
    return [];
  }
  const fields = new Map([
    ['addresses', key],
    ['autoAssign', 'metallb_auto_assign'],
    ['avoidBuggyIPs', 'metallb_avoid_buggy_ips'],
  ]);
  const spec = { addresses: addresses.map(entryText), ...switches };
  return [
    {
      name: textOfJson(name),
      named: 'metallb_pool_name',
      protocol: known,
      draft: { path: key, fields, spec },
    },
  ];
}

/** The template heeds only real truth values here: "false" in quotes leaves a switch where it is. */
function mainSwitches({ vars, tell }: Pick<Vars, 'vars' | 'tell'>): JsonObject {
  const { matallb_auto_assign: old, metallb_auto_assign: auto = old, metallb_avoid_buggy_ips: avoid } = vars;
  const key = vars.metallb_auto_assign === undefined ? 'matallb_auto_assign' : 'metallb_auto_assign';
  if (old !== undefined)
    tell({
      code: 'OldSpelling',
      severity: 'notice',
      path: 'matallb_auto_assign',
      message: 'is how Kubespray spelt metallb_auto_assign up to 2.19; later releases refuse it',
    });
  switchAt(auto, key, { heeded: false, tell });
  switchAt(avoid, 'metallb_avoid_buggy_ips', { heeded: true, tell });
  return { ...(auto === false && { autoAssign: false }), ...(avoid === true && { avoidBuggyIPs: true }) };
}

function switchAt(value: Json | undefined, path: string, o: { heeded: boolean; tell: Tell }): void {
  if (typeof value === 'boolean' || value === undefined || value === null) return;
  const placeholder = typeof value === 'string' ? placeholderIn(value) : undefined;
  o.tell(
    placeholder
      ? unrenderedAt(path, placeholder)
      : {
          code: 'ReadOtherwise',
          severity: 'warning',
          path,
          message: `is no truth value; Kubespray heeds only ${o.heeded} without quotes, and reads this as ${!o.heeded}`,
          hint: 'write true or false, without quotes',
        },
  );
}

function additionalPools({ vars, tell }: Vars): Pool[] {
  const key = 'metallb_additional_address_pools';
  const pools = mapAt(vars[key], [key], tell) ?? {};
  return Object.keys(pools).flatMap((name): Pool[] => {
    const path: Path = [key, name];
    const entry = mapAt(pools[name] ?? {}, path, tell);
    if (!entry) return [];
    tellUnknown(entry, path, { known: ['ip_range', 'protocol', 'auto_assign', 'avoid_buggy_ips'], tell });
    if (!hasAll(entry, path, { keys: ['ip_range', 'protocol'], tell })) return [];
    const protocol = wordAt(entry.protocol, [...path, 'protocol'], { words: ['layer2', 'bgp'], tell });
    const draft = translate(entry, path, [
      ['addresses', 'ip_range', (list) => (Array.isArray(list) ? list.map(entryText) : list)],
      ['autoAssign', 'auto_assign', printed],
      ['avoidBuggyIPs', 'avoid_buggy_ips', printed],
    ]);
    return [{ name, named: pathText(path), protocol, draft: { path: pathText(path), ...draft } }];
  });
}

/** The template prints it without quotes: blanks around it and a comment behind it are not part of it. */
function entryText(entry: Json): Json {
  return typeof entry === 'string' ? entry.replace(/\s#.*$/, '').trim() : entry;
}

/** Of a name without any letter nothing would be left: it stays. */
function objectName({ name }: Pool): string {
  return converted(name) ?? name;
}

function poolDraft(pool: Pool, tell: Tell): Draft[] {
  const placeholder = placeholderIn(pool.name);
  if (placeholder) {
    tell(unrenderedAt(pool.named, placeholder));
    return [];
  }
  const name = objectName(pool);
  if (name !== pool.name) tell(renamed(name, pool));
  return [{ section: 'pools', name, ...pool.draft }];
}

/** Counted over the pools of each protocol, as the converter counts. */
function advertisements(pools: readonly Pool[]): Draft[] {
  const of = (protocol: string, section: 'bgpAdvertisements' | 'l2Advertisements', stem: string) =>
    pools
      .filter((pool) => pool.protocol === protocol)
      .map(
        (pool, i): Draft => ({
          section,
          name: `${stem}${i + 1}`,
          path: pool.draft.path,
          fields: new Map([['ipAddressPools', pool.named]]),
          spec: { ipAddressPools: [objectName(pool)] },
        }),
      );
  return [
    ...of('bgp', 'bgpAdvertisements', 'bgpadvertisement'),
    ...of('layer2', 'l2Advertisements', 'l2advertisement'),
  ];
}
