import { pathSteps } from '../../domain/api/check.ts';
import { ConfigMaps } from '../../domain/api/core.ts';
import type { HelmRelease } from '../../domain/api/flux.ts';
import type { Problem } from '../../domain/api/problem.ts';
import { partOf } from '../../domain/desired/source.ts';
import { parseYaml, type Yaml } from '../../platform/files/yaml.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { resource } from '../../platform/kube/resource.ts';

/** Name of a ConfigMap and its data; absent where it does not exist or may not be read. */
export type ReadConfigMap = (name: string) => Promise<ReadonlyMap<string, string> | undefined>;

/** Reads ConfigMaps of a namespace. What may not be read, or cannot be now, has no lines: that is all that is lost. */
export function readerOf(client: KubeClient, namespace: string): ReadConfigMap {
  return async (name) => {
    const found = await resource(client, ConfigMaps)
      .get({ name, namespace })
      .catch(() => undefined);
    return found && new Map(Object.entries(found.data));
  };
}

/**
 * Adds file and line to problems of the applied values. Helm's copy has no lines; the ConfigMaps that the HelmRelease takes its
 * values from are the operator's own files, and the last one that holds the path is the one in force. What the HelmRelease says
 * inline has no line, and a problem of it stays as it is.
 */
export async function withLines(
  problems: readonly Problem[],
  release: HelmRelease,
  read: ReadConfigMap,
): Promise<readonly Problem[]> {
  const files = await filesOf(release, read);
  return problems.map((p) => {
    if (p.line !== undefined || p.path === '') return p;
    const path = pathSteps(p.path);
    if (has(release.spec.values, path)) return p;
    for (const { source, yaml } of files) {
      const place = has(yaml.value, path) ? yaml.at(path, partOf(p)) : undefined;
      if (place) return { ...p, source, line: place.line, column: place.column };
    }
    return p;
  });
}

interface File {
  readonly source: string;
  readonly yaml: Yaml;
}

/** The texts that the values are put together from, the last first. Secrets are left out: a place in one is nobody's to see. */
async function filesOf(release: HelmRelease, read: ReadConfigMap): Promise<readonly File[]> {
  const files: File[] = [];
  for (const { kind, name, valuesKey, targetPath } of release.spec.valuesFrom.toReversed()) {
    if (kind !== 'ConfigMap' || targetPath !== undefined) continue;
    const key = valuesKey ?? 'values.yaml';
    const text = (await read(name))?.get(key);
    const source = `ConfigMap ${release.metadata.namespace}/${name} ${key}`;
    const yaml = text === undefined ? undefined : parseYaml(text, { source });
    if (yaml && !('problems' in yaml)) files.push({ source, yaml });
  }
  return files;
}

function has(value: unknown, path: readonly (string | number)[]): boolean {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return false;
    at = Reflect.get(at, step);
  }
  return path.length > 0;
}
