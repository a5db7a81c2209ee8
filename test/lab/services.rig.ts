import type { KubeClient } from '../../src/platform/kube/client.ts';
import type { Named } from '../servers/copies.ts';
import { type ApiServer, copyService } from '../servers/index.ts';
import { endpointsOn } from './objects.rig.ts';

/** Many Services at once, by a client of our own and past the server: kubectl would need a process for each. */

const SERVICES = '/api/v1/namespaces/default/services';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

/** A merge patch. */
export async function patch(kube: KubeClient, path: string, body: unknown): Promise<void> {
  await kube.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
}

/** The Service gets its address, as from a controller. */
export function assign(kube: KubeClient, name: string, ip: string): Promise<void> {
  return patch(kube, `${SERVICES}/${name}/status`, { status: { loadBalancer: { ingress: [{ ip }] } } });
}

/**
 * Services of type LoadBalancer in namespace default, each with a ready endpoint on all `nodes`; all of them with an address,
 * or none.
 */
export async function makeServices(
  { api, kube }: { readonly api: ApiServer; readonly kube: KubeClient },
  services: readonly Named[],
  nodes: readonly string[],
): Promise<void> {
  const [like, ...copies] = services;
  if (!like) return;
  const { name, ip } = like;
  await kube.request({ method: 'POST', path: SERVICES, body: serviceOf(name) });
  await kube.request({ method: 'POST', path: SLICES, body: sliceOf(name, nodes) });
  if (ip !== undefined) await assign(kube, name, ip);
  await copyService(api, { namespace: 'default', like }, copies);
}

const serviceOf = (name: string) => ({
  metadata: { name },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], allocateLoadBalancerNodePorts: false },
});

const sliceOf = (name: string, nodes: readonly string[]) => ({
  metadata: { name, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ port: 80 }],
  endpoints: endpointsOn(nodes),
});
