import { type Path, pathText } from '../../api/check.ts';
import type { Reading } from '../draft.ts';
import { resolve } from '../flux/resolve.ts';
import type { Json, JsonObject } from '../json.ts';
import { pyText } from '../pyyaml.ts';
import type { Target } from './dialect.ts';
import { type Tell, tellNamespace, tellUnknown } from './foreign.ts';
import { placeholderIn, unrendered, unrenderedAt } from './placeholders.ts';

/** The variables of a play, and whom to tell what is wrong with them. */
export interface Vars {
  readonly vars: JsonObject;
  readonly target: Target;
  readonly tell: Tell;
}

/** What both eras of Kubespray's MetalLB role decide before they look at pools. */
export interface Gates {
  /** Whether the role does anything. */
  readonly enabled: boolean;
  /** Whether there are speakers; if not, others announce the pools. */
  readonly speaker: boolean;
}

export function gatesOf({ vars, target, tell }: Vars): Gates {
  const enabled = truth({ vars, target, tell }, 'metallb_enabled');
  if (vars.metallb_enabled === undefined)
    tell({
      code: 'Assumed',
      severity: 'warning',
      path: 'metallb_enabled',
      message: 'is not said here; it is taken for true, where Kubespray itself would install nothing',
      hint: 'say metallb_enabled: true',
    });
  else if (enabled === false)
    tell({
      code: 'EmptySource',
      severity: 'notice',
      path: 'metallb_enabled',
      message: 'is false: nothing is rendered from this source',
    });
  tellNamespace(vars.metallb_namespace, { path: 'metallb_namespace', target, tell });
  const { kube_proxy_mode: mode = 'ipvs' } = vars;
  if (vars.kube_proxy_strict_arp === false && mode === 'ipvs')
    tell({
      code: 'StrictArpOff',
      severity: 'warning',
      path: 'kube_proxy_strict_arp',
      message: 'is false: with kube-proxy in ipvs mode every node answers ARP for every address',
      hint: 'say kube_proxy_strict_arp: true',
    });
  return { enabled: enabled !== false, speaker: speaks({ vars, target, tell }, enabled !== false) };
}

/** The role's own default is "{{ metallb_enabled }}", and many files repeat it. */
function speaks({ vars, target, tell }: Vars, enabled: boolean): boolean {
  const { metallb_speaker_enabled: given } = vars;
  if (typeof given === 'string' && /^\{\{\s*metallb_enabled\s*\}\}$/.test(given.trim())) return enabled;
  return truth({ vars, target, tell }, 'metallb_speaker_enabled') ?? enabled;
}

/** A condition as Ansible takes it; undefined when it is absent or cannot be told. */
function truth({ vars, tell }: Vars, key: string): boolean | undefined {
  const value = vars[key];
  if (typeof value === 'boolean' || value === undefined || value === null) return value ?? undefined;
  const placeholder = typeof value === 'string' ? placeholderIn(value) : undefined;
  const word = pyText(typeof value === 'object' ? '' : value).toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  if (['false', 'no', 'off', '0'].includes(word)) return false;
  tell(
    placeholder
      ? unrenderedAt(key, placeholder)
      : { code: 'WrongType', path: key, message: 'must be true or false' },
  );
  return undefined;
}

/** Without speakers the role installs the controller alone: Calico announces then, from a list of its own. */
export function tellSpeakerOff({ vars, tell }: Vars): void {
  const calico =
    vars.calico_advertise_service_loadbalancer_ips === undefined ? 'whoever does it now' : 'Calico';
  tell({
    code: 'LeftToOthers',
    severity: 'notice',
    path: 'metallb_speaker_enabled',
    message: `is false: Herald gives out the addresses, and leaves announcing them to ${calico}`,
  });
}

/** Chart values that the role's settings of its workloads amount to, if there are any. */
export function settingsOf({ vars }: Vars, gates: Gates, workloads: Workloads): Pick<Reading, 'settings'> {
  const { metallb_log_level: logLevel, metallb_loadbalancer_class: loadBalancerClass } = vars;
  const settings = (given: Workload): JsonObject =>
    present({ nodeSelector: given.nodeselector, tolerations: given.tolerations, logLevel });
  const speaker = { ...settings(workloads.speaker), ...(!gates.speaker && { enabled: false }) };
  const controller = settings(workloads.controller);
  const all = present({
    loadBalancerClass: loadBalancerClass === '' ? undefined : loadBalancerClass,
    ...(Object.keys(controller).length > 0 && { controller }),
    ...(Object.keys(speaker).length > 0 && { speaker }),
  });
  return Object.keys(all).length > 0 ? { settings: all } : {};
}

export interface Workload {
  readonly nodeselector?: Json | undefined;
  readonly tolerations?: Json | undefined;
}
interface Workloads {
  readonly controller: Workload;
  readonly speaker: Workload;
}

/** Without what is absent, and without what waits for a template: settings of workloads are not worth refusing a source. */
function present(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter(
      (e): e is [string, Json] => e[1] !== undefined && e[1] !== null && unrendered(e[1], []).length === 0,
    ),
  );
}

/** What Go reads of a value that a template prints without quotes. Null and "" count as absent. */
export function printed(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string') return value ?? undefined;
  const read = resolve(value.trim()).value;
  return (typeof read === 'bigint' ? Number(read) : read) ?? undefined;
}

/** What Go reads of a value that a template prints between quotes. */
export function quoted(value: Json | undefined): Json | undefined {
  return typeof value === 'number' || typeof value === 'boolean' ? pyText(value) : (value ?? undefined);
}

/** A password is text to the template; without quotes Ansible has made something else of it before. */
export function passwordOf(value: Json | undefined, path: string, tell: Tell): Json | undefined {
  if (typeof value === 'number' || typeof value === 'boolean')
    tell({
      code: 'ReadOtherwise',
      severity: 'warning',
      path,
      message: 'stands without quotes: Ansible reads a number or a truth value, and 0123 becomes 83',
      hint: 'put it in quotes',
    });
  return quoted(value);
}

/** [field of the object, key of the variable, what the template makes of its value] */
export type Word = readonly [string, string, (value: Json | undefined) => Json | undefined];

/** The fields of an object out of an entry, and where each of them stands. */
export function translate(
  entry: JsonObject,
  path: Path,
  words: readonly Word[],
): { readonly spec: JsonObject; readonly fields: Map<string, string> } {
  const given = words.flatMap(([field, key, convert]): [string, Json][] => {
    const value = convert(entry[key]);
    return value === undefined ? [] : [[field, value]];
  });
  const fields = new Map(words.map(([field, key]) => [field, pathText([...path, key])]));
  return { spec: Object.fromEntries(given), fields };
}

/** Variables that set up workloads; what they mean for pools is nothing. */
const INSTALLATION =
  /_(enabled|version|image|repo|tag|port|log_level|namespace|loadbalancer_class|limits?|requests?|resources|cpu|mem(ory)?|nodeselector|tolerations|dir)(_|$)/;

/** Variables of the role that no template looks at. */
export function tellUnknownVars({ vars, tell }: Vars, known: readonly string[]): void {
  const own = Object.entries(vars).filter(
    ([key]) => /^(metallb|matallb)_/.test(key) && !INSTALLATION.test(key),
  );
  tellUnknown(Object.fromEntries(own), [], { known, tell });
}
