import { isObject, type Json, type JsonObject, sameJson } from './json.ts';

/** Annotation on a workload: which fields hold settings of a source, what they are, and what they were before. */
export const OVERRIDDEN = 'herald.io/overridden';
/** helm-controller leaves an object with this alone; otherwise it would put the chart's fields back. */
const DRIFT_DETECTION = 'helm.toolkit.fluxcd.io/driftDetection';
/** Read by controller and speaker where no flag names a class. */
const CLASS_VARIABLE = 'HERALD_LB_CLASS';

export type Component = 'controller' | 'speaker';

/** What one field is to be: `wanted` put over what the chart made of it. */
interface Field {
  readonly name: string;
  readonly path: readonly string[];
  readonly wanted: Json | undefined;
  readonly over: (was: Json, wanted: Json) => Json;
}

/** What was before and what is now. A field that was not there has `was: null`. */
type Book = Readonly<Record<string, { readonly was: Json; readonly is: Json }>>;

/**
 * One of Herald's own workloads (Deployment, DaemonSet, or the ConfigMap with its live settings) as a source's settings want it:
 * `{ controller, speaker, loadBalancerClass }` in the words of chart values. Equal to `live` when nothing is to be done.
 * The chart's own values stay below: maps and tolerations are added to, and what was before comes back with the setting's end. A field
 * that somebody (an upgrade of the chart) has changed since counts as the chart's new value.
 */
export function withSettings(live: JsonObject, component: Component, settings: JsonObject): JsonObject {
  const book = bookOf(live);
  const entries: [string, Book[string]][] = [];
  let object = live;
  for (const { name, path, wanted, over } of fieldsOf(live, component, settings)) {
    const now = get(live, path) ?? null;
    const record = book[name];
    const was = record && sameJson(now, record.is) ? record.was : now;
    const is = wanted === undefined ? was : over(was, wanted);
    object = put(object, path, is);
    if (wanted !== undefined) entries.push([name, { was, is }]);
  }
  return put(object, ['metadata', 'annotations'], annotated(live, Object.fromEntries(entries)));
}

function fieldsOf(live: JsonObject, component: Component, settings: JsonObject): readonly Field[] {
  const own = settings[component];
  const {
    nodeSelector,
    tolerations,
    affinity,
    priorityClassName,
    runtimeClassName,
    podAnnotations,
    resources,
    logLevel,
  } = isObject(own) ? own : {};
  if (live.kind === 'ConfigMap') return [field('logLevel', 'data.logLevel', { wanted: logLevel })];
  const pod = 'spec.template.spec';
  const container = `${pod}.containers.${component}`;
  const { loadBalancerClass } = settings;
  const env =
    typeof loadBalancerClass === 'string' ? [{ name: CLASS_VARIABLE, value: loadBalancerClass }] : undefined;
  return [
    field('nodeSelector', `${pod}.nodeSelector`, { wanted: nodeSelector, over: merge }),
    field('tolerations', `${pod}.tolerations`, { wanted: tolerations, over: add }),
    field('affinity', `${pod}.affinity`, { wanted: affinity }),
    field('priorityClassName', `${pod}.priorityClassName`, { wanted: priorityClassName }),
    field('runtimeClassName', `${pod}.runtimeClassName`, { wanted: runtimeClassName }),
    field('podAnnotations', 'spec.template.metadata.annotations', { wanted: podAnnotations, over: merge }),
    field('resources', `${container}.resources`, { wanted: resources, over: merge }),
    field('env', `${container}.env`, { wanted: env, over: add }),
  ];
}

function field(
  name: string,
  path: string,
  { wanted, over = replace }: { wanted: Json | undefined; over?: Field['over'] },
): Field {
  return { name, path: path.split('.'), wanted, over };
}

const replace = (_: Json, wanted: Json): Json => wanted;

function merge(was: Json, wanted: Json): Json {
  return isObject(was) && isObject(wanted) ? { ...was, ...wanted } : wanted;
}

function add(was: Json, wanted: Json): Json {
  const [before, more] = [list(was), list(wanted)];
  return [...before, ...more.filter((item) => !before.some((b) => sameJson(b, item)))];
}

const list = (value: Json): readonly Json[] => (Array.isArray(value) ? value : []);

function bookOf(live: JsonObject): Book {
  const text = get(live, ['metadata', 'annotations', OVERRIDDEN]);
  if (typeof text !== 'string') return {};
  try {
    const book: Json = JSON.parse(text);
    const entries = Object.entries(isObject(book) ? book : {}).flatMap(([name, record]) =>
      isObject(record) ? [[name, { was: record.was ?? null, is: record.is ?? null }] as const] : [],
    );
    return Object.fromEntries(entries);
  } catch {
    // Somebody wrote into it: what is there now counts as the chart's.
    return {};
  }
}

function annotated(live: JsonObject, book: Book): Json {
  const now = get(live, ['metadata', 'annotations']) ?? {};
  const { [OVERRIDDEN]: before, [DRIFT_DETECTION]: _, ...others } = isObject(now) ? now : {};
  if (Object.keys(book).length > 0)
    return { ...others, [OVERRIDDEN]: JSON.stringify(book), [DRIFT_DETECTION]: 'disabled' };
  return before === undefined ? now : others;
}

/** The value at a path; a step into a list finds the item of that name. */
function get(object: Json | undefined, path: readonly string[]): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined || object === undefined) return object;
  if (Array.isArray(object))
    return get(
      object.find((item: Json) => isObject(item) && item.name === step),
      rest,
    );
  return isObject(object) ? get(object[step], rest) : undefined;
}

/** A copy with the value at the path; null takes the field out, and makes nothing that is not there. */
function put(object: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [step = '', ...rest] = path;
  if (sameJson(get(object, path) ?? null, value)) return object;
  if (rest.length > 0) {
    const child = object[step];
    if (!Array.isArray(child)) return { ...object, [step]: put(isObject(child) ? child : {}, rest, value) };
    const [name = '', ...further] = rest;
    return {
      ...object,
      [step]: child.map((item: Json) =>
        isObject(item) && item.name === name ? put(item, further, value) : item,
      ),
    };
  }
  const { [step]: _, ...others } = object;
  return value === null ? others : { ...others, [step]: value };
}
