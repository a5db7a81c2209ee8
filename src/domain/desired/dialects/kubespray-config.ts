import { type Path, pathText } from '../../api/check.ts';
import type { Draft, Reading } from '../draft.ts';
import { isObject, type Json, toJson } from '../json.ts';
import { type Finding, problemOf, type Source } from '../source.ts';
import type { Dialect } from './dialect.ts';
import { hasAll, listAt, mapAt, type Tell, tellUnknown } from './foreign.ts';
import {
  gatesOf,
  printed,
  quoted,
  settingsOf,
  tellSpeakerOff,
  tellUnknownVars,
  translate,
  type Vars,
} from './kubespray.ts';
import { tellLeftOut } from './kubespray-calico.ts';
import { layer3Drafts } from './kubespray-layer3.ts';

/** The variables of Kubespray since 2.22 (`metallb_config`), rendered as its templates render them. */
export const kubesprayConfig: Dialect = {
  name: 'kubespray-config',
  title: 'Kubespray (metallb_config)',
  yaml: 'pyyaml',
  // Ansible warns of them.
  duplicates: 'last',
  evidence(values) {
    const vars = toJson(values ?? null);
    return isObject(vars) && 'metallb_config' in vars ? [ROOT] : [];
  },
  // Files of variables are shared with many other roles.
  hasRoot: () => true,
  read(source, target) {
    const vars = toJson(source.values ?? null);
    const findings: Finding[] = [];
    const tell = (finding: Finding) => findings.push(finding);
    const reading = isObject(vars) ? readVars({ vars, target, tell }, source) : { drafts: [] };
    return { ...reading, problems: findings.map((finding) => problemOf(source, finding)) };
  },
};

const ROOT = 'metallb_config';
const KNOWN = ['metallb_enabled', 'metallb_speaker_enabled', 'metallb_protocol', ROOT];

/** Variables of earlier releases that the templates no longer look at. */
const OLD = [
  'metallb_ip_range',
  'metallb_pool_name',
  'matallb_auto_assign',
  'metallb_auto_assign',
  'metallb_avoid_buggy_ips',
  'metallb_additional_address_pools',
  'metallb_peers',
];

function readVars(given: Vars, source: Source): Omit<Reading, 'problems'> {
  const { vars, tell } = given;
  const gates = gatesOf(given);
  if (!gates.enabled) return { drafts: [] };
  for (const path of OLD.filter((key) => key in vars))
    tell({
      code: 'NoEffect',
      severity: 'warning',
      path,
      message: 'is not read beside metallb_config',
      hint: 'take it out, or move what it says into metallb_config',
    });
  tellUnknownVars(given, [...KNOWN, ...OLD]);
  const config = mapAt(vars[ROOT], [ROOT], tell) ?? {};
  tellUnknown(config, [ROOT], {
    known: ['address_pools', 'layer2', 'layer3', 'controller', 'speaker'],
    tell,
  });
  const pools = poolDrafts(config.address_pools, tell);
  if (
    isNothing(vars[ROOT]) ||
    (isNothing(config.address_pools) && isNothing(config.layer3) && isObject(vars[ROOT]))
  )
    tell({
      code: 'EmptySource',
      severity: 'notice',
      path: ROOT,
      message: 'defines no pools: nothing is rendered from this source',
    });
  const workload = (value: Json | undefined) => (isObject(value) ? value : {});
  const settings = settingsOf(given, gates, {
    controller: workload(config.controller),
    speaker: workload(config.speaker),
  });
  if (gates.speaker)
    return {
      ...settings,
      drafts: [
        ...pools,
        ...layer2Drafts(config.layer2, tell),
        ...layer3Drafts(config.layer3, {
          path: [ROOT, 'layer3'],
          tell,
          ...(source.text && { text: source.text }),
        }),
      ],
    };
  tellSpeakerOff(given);
  tellLeftOut(given, pools);
  return { ...settings, drafts: pools, elsewhere: true };
}

function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null || (isObject(value) && Object.keys(value).length === 0);
}

function poolDrafts(value: Json | undefined, tell: Tell): Draft[] {
  const base: Path = [ROOT, 'address_pools'];
  return Object.entries(mapAt(value, base, tell) ?? {}).flatMap(([name, pool]): Draft[] => {
    const path: Path = [...base, name];
    const entry = mapAt(pool ?? {}, path, tell);
    if (!entry) return [];
    tellUnknown(entry, path, { known: ['ip_range', 'auto_assign', 'avoid_buggy_ips'], tell });
    if (!hasAll(entry, path, { keys: ['ip_range'], tell })) return [];
    const { spec, fields } = translate(entry, path, [
      [
        'addresses',
        'ip_range',
        (list) => (Array.isArray(list) ? list.map((item) => quoted(item) ?? null) : list),
      ],
      ['autoAssign', 'auto_assign', printed],
      ['avoidBuggyIPs', 'avoid_buggy_ips', printed],
    ]);
    return [{ section: 'pools', name, path: pathText(path), fields, spec }];
  });
}

/** One advertisement for each name in the list. */
function layer2Drafts(value: Json | undefined, tell: Tell): Draft[] {
  const base: Path = [ROOT, 'layer2'];
  const names = listAt(value, base, tell) ?? [];
  return names.flatMap((name, i): Draft[] => {
    const path = pathText([...base, i]);
    if (typeof name !== 'string') {
      tell({ code: 'WrongType', path, message: 'must be the name of a pool' });
      return [];
    }
    if (names.indexOf(name) < i) {
      tell({ code: 'NameDuplicate', severity: 'warning', path, message: 'stands in the list twice' });
      return [];
    }
    const fields = new Map(['ipAddressPools', 'ipAddressPools[0]'].map((field) => [field, path]));
    return [{ section: 'l2Advertisements', name, path, fields, spec: { ipAddressPools: [name] } }];
  });
}
