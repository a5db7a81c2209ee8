import type { KubeClient } from '../../src/platform/kube/client.ts';
import { endpointsOn } from './objects.rig.ts';

/** Many Services at once, by a client of our own: kubectl would need a process for each. */

const SERVICES = '/api/v1/namespaces/default/services';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
/** Requests at a time; a client for it needs as many connections. */
export const WRITERS = 16;

/** A merge patch. */
export async function patch(kube: KubeClient, path: string, body: unknown): Promise<void> {
  await kube.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
}

/** The Service gets its address, as from a controller. */
export function assign(kube: KubeClient, name: string, ip: string): Promise<void> {
  return patch(kube, `${SERVICES}/${name}/status`, { status: { loadBalancer: { ingress: [{ ip }] } } });
}

/** Services of type LoadBalancer in namespace default, each with a ready endpoint on all `nodes`, and with an address where one is given. */
export async function makeServices(
  kube: KubeClient,
  services: readonly { readonly name: string; readonly ip?: string }[],
  nodes: readonly string[],
): Promise<void> {
  const rest = services.values();
  const worker = async () => {
    for (const { name, ip } of rest) {
      await kube.request({ method: 'POST', path: SERVICES, body: serviceOf(name) });
      await kube.request({ method: 'POST', path: SLICES, body: sliceOf(name, nodes) });
      if (ip !== undefined) await assign(kube, name, ip);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, worker));
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
