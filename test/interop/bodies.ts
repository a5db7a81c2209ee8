/** Steps as the API server wants them. */
import { NAMESPACE } from '../api/controller.rig.ts';
import { ANNOTATIONS, type PoolSpec, type ServiceSketch } from './steps.ts';

/** "namespace/name" in two. */
export function refOf(key: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

/** A new Service. */
export function newService(key: string, sketch: ServiceSketch): object {
  const { metadata, spec } = servicePatch(sketch);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...refOf(key), ...metadata, annotations: sketch.annotations ?? {} },
    spec: { ...spec, ipFamilies: [sketch.primary ?? 'IPv4'] },
  };
}

/** A merge patch that makes a Service as the sketch says, and leaves what a controller wrote. */
export function servicePatch(sketch: ServiceSketch): { metadata: object; spec: object } {
  const { type = 'LoadBalancer', app = 'web', ports = ['TCP/80'] } = sketch;
  const balanced = type === 'LoadBalancer';
  const none = Object.fromEntries(ANNOTATIONS.map((name) => [name, null]));
  return {
    metadata: { labels: { app }, annotations: { ...none, ...sketch.annotations } },
    spec: {
      type,
      ports: ports.map((text) => {
        const [protocol = '', port = ''] = text.split('/');
        return { name: text.toLowerCase().replace('/', '-'), protocol, port: Number(port) };
      }),
      selector: { app },
      ipFamilyPolicy: sketch.policy ?? 'SingleStack',
      externalTrafficPolicy: balanced ? (sketch.local ? 'Local' : 'Cluster') : null,
      // There are only some 2,700 node ports.
      allocateLoadBalancerNodePorts: balanced ? false : null,
      loadBalancerIP: sketch.loadBalancerIP ?? null,
      loadBalancerClass: balanced ? (sketch.loadBalancerClass ?? null) : null,
    },
  };
}

export function newPool(name: string, spec: PoolSpec): object {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name, namespace: NAMESPACE },
    spec,
  };
}

/** One community alias; anything but two numbers makes the whole configuration a bad one. */
export function newCommunity(value: string): object {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'Community',
    metadata: { name: 'alias', namespace: NAMESPACE },
    spec: { communities: [{ name: 'alias', value }] },
  };
}
