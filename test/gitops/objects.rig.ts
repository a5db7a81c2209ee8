/** ConfigMaps and Secrets by their data, and any other object, written without kubectl's cost. */
import type { KubeClient } from '../../src/platform/kube/client.ts';

/** Data of objects, by `ConfigMap/<name>` and `Secret/<name>`. */
export type Objects = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The data of one, as what computes values and variables asks for it. */
export function dataOf(objects: Objects, id: string): ReadonlyMap<string, string> | undefined {
  const data = objects[id];
  return data && new Map(Object.entries(data));
}

export async function createObjects(
  kube: KubeClient,
  o: { namespace: string; objects: Objects; prefix?: string },
): Promise<void> {
  const { namespace, objects, prefix = '' } = o;
  await Promise.all(
    Object.entries(objects).map(async ([id, data]) => {
      const [kind = '', name = ''] = id.split('/');
      const content = kind === 'Secret' ? { stringData: data } : { data };
      const object = { apiVersion: 'v1', kind, metadata: { name: prefix + name, namespace }, ...content };
      await create(kube, object);
    }),
  );
}

/** `object` has apiVersion, kind and metadata with name and namespace. */
export async function create(
  kube: KubeClient,
  object: Readonly<Record<string, unknown>> & {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace: string };
  },
): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const path = `${root}/namespaces/${metadata.namespace}/${kind.toLowerCase()}s`;
  await kube.request({ method: 'POST', path, body: object });
}
