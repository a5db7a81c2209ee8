import type { ConfigSource, ConfigSourceSpec } from '../../domain/api/herald.ts';
import { configMapSource } from '../../domain/desired/names.ts';
import type { OperatorObjects } from './operator.ts';
import type { Options } from './options.ts';
import { type Found, Reader } from './read.ts';
import type { ReleaseRef, Watches } from './watches.ts';

/** A source in the cluster: its ConfigSource, where there is one, and what was read of it. */
export interface Seen {
  readonly name: string;
  readonly configSource: ConfigSource | undefined;
  readonly found: Found;
  /** What its ConfigSource says when the reconciler makes it; absent for the release's own source. */
  readonly wants?: ConfigSourceSpec;
}

/** Finds and reads the sources that the cluster has now. */
export class Sight {
  readonly #o: Options;
  readonly #watches: Watches;
  readonly #operator: OperatorObjects;
  readonly #reader: Reader;

  constructor(o: Options, watches: Watches, operator: OperatorObjects) {
    this.#operator = operator;
    this.#o = o;
    this.#watches = watches;
    this.#reader = new Reader({ instance: o.release, namespace: o.namespace });
  }

  /** All sources that there are. Follows the namespaces that the release's own source names. */
  see(): readonly Seen[] {
    const { namespace } = this.#o;
    const sources = this.#watches.configSources.store;
    const own = this.#own();
    const named = own?.found.built.values?.sources?.namespaces;
    if (own?.found.built.values) this.#watches.follow([...this.#o.sourcesNamespaces, ...(named ?? [])]);
    const others = this.#watches.configMaps().map((configMap): Seen => {
      const name = configMapSource(configMap.metadata.namespace ?? '', configMap.metadata.name);
      const configSource = sources.get(`${namespace}/${name}`);
      const { name: of, namespace: where = '' } = configMap.metadata;
      const wants = { configMap: { name: of, namespace: where } };
      return { name, configSource, found: this.#reader.configMap(configMap), wants };
    });
    return [own, ...others, this.#objects()].filter((seen) => seen !== undefined);
  }

  #objects(): Seen | undefined {
    const read = this.#operator.source();
    if (!read) return undefined;
    const { name } = read.source;
    const configSource = this.#watches.configSources.store.get(`${this.#o.namespace}/${name}`);
    return {
      name,
      configSource,
      found: this.#reader.objects(read.source, read.names),
      wants: { objects: 'operator' },
    };
  }

  #own(): Seen | undefined {
    const { namespace, release } = this.#o;
    const configSource = this.#watches.configSources.store.get(`${namespace}/${release}`);
    if (configSource?.spec.secretName === undefined) return undefined;
    const secret = this.#watches.values.store.get(`${namespace}/${configSource.spec.secretName}`);
    return { name: release, configSource, found: this.#reader.pair(configSource, secret) };
  }
}

/** The release's own source. */
export function ownOf(seen: readonly Seen[], release: string): Seen | undefined {
  return seen.find((s) => s.name === release);
}

/** The HelmRelease that a source names itself, where the labels on our Deployment are not to count. */
export function namedRelease(own: Seen | undefined): ReleaseRef | undefined {
  return own?.configSource?.spec.helmRelease ?? own?.found.built.values?.source?.helmRelease;
}
