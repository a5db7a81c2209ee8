import { createHash } from 'node:crypto';
import { FROM } from '../../domain/api/annotations.ts';
import { pathText } from '../../domain/api/check.ts';
import type { ConfigMap, Secret } from '../../domain/api/core.ts';
import type { ConfigSource } from '../../domain/api/herald.ts';
import type { Problem } from '../../domain/api/problem.ts';
import { type Built, build } from '../../domain/desired/build.ts';
import type { Target } from '../../domain/desired/dialects/dialect.ts';
import { configMapSource } from '../../domain/desired/names.ts';
import { pathOf } from '../../domain/desired/path.ts';
import { configKey, problemOf, type Source } from '../../domain/desired/source.ts';
import { fromDocuments, textReader } from '../../domain/desired/yaml.ts';
import { parseDocument, parseDocuments } from '../../platform/files/yaml.ts';

/** Key of the Secret that the chart makes. */
export const VALUES_KEY = 'values.json';

/** A source as it was found. */
export interface Found {
  readonly built: Built;
  /** sha256 of the text that was read; "" when there is none. */
  readonly digest: string;
}

export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Renders sources, and remembers each rendering until its text changes: parsing YAML is slow. */
export class Reader {
  readonly #target: Target;
  readonly #known = new Map<string, { readonly text: string; readonly found: Found }>();

  constructor(target: Target) {
    this.#target = target;
  }

  /**
   * The values that Helm applied. ConfigSource and Secret arrive one after the other: until the digest in the one is that of the
   * text in the other, the source waits, and what is live of it stays.
   */
  pair(configSource: ConfigSource, secret: Secret | undefined): Found {
    const { name, namespace = this.#target.namespace } = configSource.metadata;
    const title = `Secret ${namespace}/${configSource.spec.secretName ?? ''}`;
    const source = { name, title, secret: true, values: undefined };
    const text = secret?.data[VALUES_KEY];
    const digest = text === undefined ? '' : digestOf(text);
    if (text === undefined || digest !== configSource.spec.digest)
      return { digest, built: { source, objects: [], problems: [], waiting: waitingFor(secret, text) } };
    return this.#remembered(name, text, () => ({ digest, built: this.#fromJson(source, text) }));
  }

  configMap(configMap: ConfigMap): Found {
    const { name, namespace = '' } = configMap.metadata;
    const source = {
      name: configMapSource(namespace, name),
      title: `ConfigMap ${namespace}/${name}`,
      secret: false,
      open: true,
      values: undefined,
      context: { object: { kind: 'ConfigMap', name, namespace } },
    };
    const key = configKey(configMap.data);
    if (key === undefined) {
      const message = `has no key values.yaml, and not exactly one other`;
      return {
        digest: '',
        built: failed(source, [problemOf(source, { code: 'ValuesUnreadable', path: '', message })]),
      };
    }
    const text = configMap.data[key] ?? '';
    return this.#remembered(source.name, text, () => ({
      digest: digestOf(text),
      built: this.#fromYaml(source, text),
    }));
  }

  /** Objects of the cluster that are a source together: a list of them, and their names in its order. */
  objects(source: Source, names: readonly string[]): Found {
    const text = JSON.stringify(source.values);
    return this.#remembered(source.name, text, () => ({
      digest: digestOf(text),
      built: withNames(build(source, this.#target), names),
    }));
  }

  #fromJson(source: Source, text: string): Built {
    try {
      return build({ ...source, values: JSON.parse(text), parse: parserFor(source) }, this.#target);
    } catch {
      // The parser's message quotes the text.
      const finding = {
        code: 'ValuesUnreadable',
        path: '',
        message: `key ${VALUES_KEY} is not JSON`,
      } as const;
      return failed(source, [problemOf(source, finding)]);
    }
  }

  #fromYaml(source: Source, text: string): Built {
    const documents = parseDocuments(text, { source: source.title });
    if ('problems' in documents) return failed(source, documents.problems);
    const read = fromDocuments(documents);
    if ('problems' in read)
      return failed(
        source,
        read.problems.map((p) => ({ ...p, source: source.title })),
      );
    return build({ ...source, ...read, parse: parserFor(source) }, this.#target);
  }

  #remembered(name: string, text: string, make: () => Found): Found {
    const known = this.#known.get(name);
    if (known?.text === text) return known.found;
    const found = make();
    this.#known.set(name, { text, found });
    return found;
  }
}

/** Objects by name where they stood by number in a list, which is another one as soon as an object comes or goes. */
function withNames(built: Built, names: readonly string[]): Built {
  const named = (path: string): string => {
    const [first, ...rest] = pathOf(path);
    const name = typeof first === 'number' ? names[first] : undefined;
    return name === undefined ? path : pathText([name, ...rest]);
  };
  return {
    ...built,
    problems: built.problems.map((p) => ({ ...p, path: named(p.path) })),
    objects: built.objects.map((o) => {
      const path = named(o.path);
      return { ...o, path, annotations: { ...o.annotations, [FROM]: `${o.source}#${path}` } };
    }),
  };
}

/** For configuration that stands as text in values of old charts. */
function parserFor({ title }: Source): NonNullable<Source['parse']> {
  return textReader((text) => parseDocument(text, { source: title }));
}

function failed(source: Source, problems: readonly Problem[]): Built {
  return { source, objects: [], problems };
}

function waitingFor(secret: Secret | undefined, text: string | undefined): string {
  if (!secret) return 'the Secret with the values does not exist';
  if (text === undefined) return `the Secret has no key ${VALUES_KEY}`;
  return 'the Secret holds other values than the ConfigSource names; the other half of the change is awaited';
}
