/** The values of a HelmRelease of any version, from objects that stand in files beside it. */
import { ValuesError } from './errors.ts';
import { effectiveValues, mergeMaps, readReferenced, referencedText } from './merge.ts';
import type { Release, ReleaseReference } from './release.ts';
import { fromJson, isMap, type ValueMap } from './value.ts';
import type { YamlNode } from './yaml.ts';

export interface Composed {
  readonly values: ValueMap;
  /** References that lead out of the files (a URL, a file of the chart): `values` lacks what they hold. */
  readonly unknown: readonly ReleaseReference[];
}

export interface ComposeOptions {
  /**
   * `data` of an object as text, undefined when there is none. `namespace` is given where the reference names one of its own;
   * otherwise the HelmRelease's is meant.
   */
  readonly data: (
    kind: 'ConfigMap' | 'Secret',
    name: string,
    namespace?: string,
  ) => ReadonlyMap<string, string> | undefined;
  readonly parse: (text: string) => YamlNode | undefined;
}

/** The merged values, before those of the chart. Throws ValuesError. */
export function composeValues(release: Release, o: ComposeOptions): Composed {
  return release.legacy ? legacyValues(release, o) : { values: toolkitValues(release, o), unknown: [] };
}

function toolkitValues({ values, valuesFrom }: Release, { data, parse }: ComposeOptions): ValueMap {
  const references = valuesFrom.filter((reference) => reference.from === 'object');
  return effectiveValues({ inline: values, references, data, parse });
}

/** As Flux v1's helm-operator: references in order, then the inline values; broken YAML of an optional ConfigMap is skipped. */
function legacyValues({ values, valuesFrom }: Release, { data, parse }: ComposeOptions): Composed {
  let result: ValueMap = new Map();
  for (const reference of valuesFrom) {
    if (reference.from !== 'object') continue;
    const { namespace } = reference;
    const text = referencedText(reference, (kind, name) => data(kind, name, namespace));
    if (text === undefined) continue;
    try {
      result = mergeMaps(result, readReferenced(reference, text, parse));
    } catch (e) {
      const skipped = e instanceof ValuesError && reference.optional && reference.kind === 'ConfigMap';
      if (!skipped) throw e;
    }
  }
  const inline = fromJson(values);
  return {
    values: isMap(inline) ? mergeMaps(result, inline) : result,
    unknown: valuesFrom.filter((reference) => reference.from !== 'object'),
  };
}
