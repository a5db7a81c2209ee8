/** Drafts back to Herald's own values, with a word on where each entry comes from. */
import { pathText } from '../../domain/api/check.ts';
import { type Problem, problemText } from '../../domain/api/problem.ts';
import { idOfDraft } from '../../domain/desired/build.ts';
import type { Target } from '../../domain/desired/dialects/dialect.ts';
import { read } from '../../domain/desired/dialects/read.ts';
import type { Draft, Section } from '../../domain/desired/draft.ts';
import { isObject, type Json, type JsonObject, sameJson, toJson } from '../../domain/desired/json.ts';
import { joinName } from '../../domain/desired/names.ts';
import { located, type Source } from '../../domain/desired/source.ts';
import type { Checked, Judged } from './check.ts';

/** Where an entry of the values comes from. */
export interface From {
  readonly source: string;
  readonly line?: number;
  readonly column?: number;
  /** In the words of the source. */
  readonly path: string;
}

export interface Native {
  readonly values: JsonObject;
  /** By the path of the entry in the values. */
  readonly from: ReadonlyMap<string, From>;
  readonly comments: ReadonlyMap<string, readonly string[]>;
  /** What cannot stand side by side in one file. */
  readonly problems: readonly Problem[];
}

const ORDER: readonly Section[] = [
  'pools',
  'l2Advertisements',
  'bgpAdvertisements',
  'bgpPeers',
  'bfdProfiles',
  'communities',
  'reservations',
  'quotas',
];

export interface NativeOptions {
  /** Passwords stand in the values; otherwise a reference to a Secret that is still to be made. */
  readonly withPasswords?: boolean;
}

/** The sources of all overlays as one set of values. */
export function toNative(checked: readonly Checked[], o: NativeOptions): Native {
  const writer = new Writer(o);
  for (const { sources, target, problems } of checked)
    for (const judged of sources) writer.add(judged, { target, problems });
  return writer.end();
}

interface Surroundings {
  readonly target: Target;
  readonly problems: readonly Problem[];
}

class Writer {
  readonly #o: NativeOptions;
  readonly #sections = new Map<Section, Map<string, JsonObject>>();
  #settings: JsonObject = {};
  readonly #from = new Map<string, From>();
  readonly #comments = new Map<string, string[]>();
  readonly #problems: Problem[] = [];

  constructor(o: NativeOptions) {
    this.#o = o;
  }

  add({ source, built }: Judged, around: Surroundings): void {
    const { reading, source: typed } = read(source, around.target);
    for (const draft of built.copied ? [] : reading.drafts) this.#entry(draft, { ...around, source: typed });
    const own = toJson(reading.values ?? {});
    const rest = isObject(own) ? Object.entries(own).filter(([key]) => !isSection(key)) : [];
    this.#setting({ ...Object.fromEntries(rest), ...built.settings }, { ...around, source: typed });
  }

  #entry(draft: Draft, { source, target, problems }: Surroundings & { readonly source: Source }): void {
    const { section, name } = draft;
    const path = pathText([section, name]);
    const entries = this.#sections.get(section) ?? new Map<string, JsonObject>();
    this.#sections.set(section, entries);
    const from = placeOf(source, draft.path);
    const other = this.#from.get(path);
    if (other) {
      const message = `would be ${path}, which already comes from ${textOf(other)}`;
      this.#problems.push({ code: 'ObjectInTwoSources', ...from, message });
      return;
    }
    const { spec, remark } = this.#withoutPassword(draft, target);
    entries.set(name, { ...extrasOf(draft), ...spec });
    this.#from.set(path, from);
    const subject = draft.subject ?? idOfDraft(draft);
    const said = problems.filter((p) => isAbout(p, from, subject)).map(remarkOf);
    const origin = draft.subject === undefined ? '' : ` of ${draft.subject}`;
    this.#comments.set(path, [`from ${textOf(from)}${origin}`, ...said, ...remark]);
  }

  /** The Secret has the name that Herald itself would give it, so that the peer is the same either way. */
  #withoutPassword({ section, name, spec }: Draft, { instance, namespace }: Target) {
    const { password, ...rest } = spec;
    if (section !== 'bgpPeers' || typeof password !== 'string' || password === '' || this.#o.withPasswords)
      return { spec, remark: [] };
    const secret = joinName('-', instance, 'peer', name);
    return {
      spec: { ...rest, passwordSecret: { name: secret, namespace } },
      remark: [
        'its password is left out (--with-passwords prints it); make the Secret:',
        `kubectl create secret generic ${secret} --namespace ${namespace} --type kubernetes.io/basic-auth --from-file password=FILE`,
      ],
    };
  }

  #setting(settings: JsonObject, { source }: Surroundings & { readonly source: Source }): void {
    for (const [key, value] of Object.entries(settings)) {
      const before = this.#settings[key];
      const from = { source: source.title, path: key };
      const clash = before === undefined ? undefined : clashOf(before, value, [key]);
      if (clash !== undefined)
        this.#problems.push({
          code: 'SettingTwice',
          ...from,
          path: clash,
          message: `is set to something else in ${this.#from.get(key)?.source ?? 'another file'}`,
        });
      this.#settings = { ...this.#settings, [key]: merged(before, value) };
      if (!this.#from.has(key)) this.#from.set(key, from);
      this.#comments.set(key, [...(this.#comments.get(key) ?? []), `from ${source.title}`]);
    }
  }

  end(): Native {
    const sections = ORDER.flatMap((section) => {
      const entries = this.#sections.get(section);
      return entries && entries.size > 0 ? [[section, Object.fromEntries(entries)] as const] : [];
    });
    return {
      values: { ...Object.fromEntries(sections), ...this.#settings },
      from: this.#from,
      comments: this.#comments,
      problems: this.#problems,
    };
  }
}

function isSection(key: string): boolean {
  return ORDER.some((section) => section === key);
}

function extrasOf({ labels = {}, annotations = {}, onChange }: Draft): JsonObject {
  return {
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(onChange && { onChange }),
  };
}

function placeOf(source: Source, path: string): From {
  const { source: file = source.title, line, column } = located(source, { code: '', path, message: '' });
  return {
    source: file,
    path: path.replace(/^\[\d+\]\.?/, ''),
    ...(line !== undefined && column !== undefined && { line, column }),
  };
}

/** "metallb.yaml:12:5 address-pools[0]" */
function textOf({ source, line, path }: From): string {
  return [line === undefined ? source : `${source}:${line}`, path].filter((part) => part !== '').join(' ');
}

/** subject: the object as its problems name it. */
function isAbout(problem: Problem, { source, path, line }: From, subject: string): boolean {
  if (problem.source !== source) return false;
  // In a list of objects the same path stands in each of them.
  if (path === '') return problem.object === subject || problem.line === line;
  if (problem.object !== undefined && problem.object !== subject) return false;
  return problem.path === path || problem.path.startsWith(`${path}.`) || problem.path.startsWith(`${path}[`);
}

/** A problem beside the entry that it is about. */
export function remarkOf({ severity = 'error', path, message, hint }: Problem): string {
  return `${severity}: ${problemText({ code: '', path, message, ...(hint !== undefined && { hint }) })}`;
}

/** The path of a value that is not the same on both sides. */
function clashOf(a: Json, b: Json, path: readonly string[]): string | undefined {
  if (!isObject(a) || !isObject(b)) return sameJson(a, b) ? undefined : pathText(path);
  for (const [key, value] of Object.entries(b)) {
    const before = a[key];
    const clash = before === undefined ? undefined : clashOf(before, value, [...path, key]);
    if (clash !== undefined) return clash;
  }
  return undefined;
}

function merged(a: Json | undefined, b: Json): Json {
  if (!isObject(a) || !isObject(b)) return b;
  return { ...a, ...Object.fromEntries(Object.entries(b).map(([k, v]) => [k, merged(a[k], v)])) };
}
