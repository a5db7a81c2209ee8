/** One of the two: an API server of its own, a controller, and the hands that do the steps. */
import { existsSync } from 'node:fs';
import { Namespaces, Services } from '../../src/domain/api/core.ts';
import { Communities, IPAddressPools } from '../../src/domain/api/metallb.ts';
import { keyOf } from '../../src/domain/api/object.ts';
import { ApiError, type KubeClient } from '../../src/platform/kube/client.ts';
import { resource } from '../../src/platform/kube/resource.ts';
import { NAMESPACE } from '../api/controller.rig.ts';
import { client } from '../api/kube.rig.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { newCommunity, newPool, newService, refOf, servicePatch } from './bodies.ts';
import type { Change } from './steps.ts';
import { follow, type Seen, type View } from './view.ts';

/** A controller at work. */
export interface Running {
  readonly pid: number;
  /** Whether it has seen that there is no pool any more; absent where nobody can be asked, and the next bell tells. */
  isEmpty?(): Promise<boolean>;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface Side {
  readonly view: View;
  /** Undefined when done, else the API server's refusal. */
  apply(change: Change): Promise<string | undefined>;
  /** Ends the controller, and starts it (anew). */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  start(): Promise<void>;
  /**
   * Puts an address that is in no pool into the status of a Service that nobody compares, and waits until the controller has
   * cleared it: then it has also seen what was written before. False when it serves nothing, as its configuration is bad.
   */
  ring(): Promise<boolean>;
  /** Removes all that steps have made. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

const BELL = { namespace: 'bell', name: 'bell' };
/** In no pool, so that no controller leaves it in a status. */
const NOWHERE = '203.0.113.254';
const POD = 'controller-0';

/** Starts the servers and then the controller, by `launch`, which gets the name of a Pod that exists. */
export async function startSide(launch: (api: ApiServer, pod: string) => Promise<Running>): Promise<Side> {
  const api = await startApiServer({ serviceCidr: '10.96.0.0/16,fd00:10:96::/112' });
  const kube = await client(api.kubeconfig);
  await prepare(kube);
  const view = await follow(kube, keyOf({ metadata: BELL }));
  let running: Running | undefined = await launch(api, POD);
  return {
    view,
    apply: (change) => refusalOf(apply(kube, change)),
    async end(signal) {
      await running?.end(signal);
      running = undefined;
    },
    async start() {
      running = await launch(api, POD);
    },
    ring: () => ring(kube, view, () => running?.pid ?? 0),
    async clear() {
      await clear(kube, view.seen());
      await until('the controller to be without pools', async () => (await running?.isEmpty?.()) ?? true);
    },
    async close() {
      await running?.end('SIGTERM');
      await view.close();
      await kube.close();
      await api.stop();
    },
  };
}

async function prepare(kube: KubeClient): Promise<void> {
  const post = (path: string, body: object) => kube.request({ method: 'POST', path, body });
  for (const name of [NAMESPACE, BELL.namespace, 't1', 't2'])
    await post('/api/v1/namespaces', { metadata: { name } });
  const containers = [{ name: 'controller', image: 'none' }];
  await post(`/api/v1/namespaces/${NAMESPACE}/pods`, { metadata: { name: POD }, spec: { containers } });
  const annotations = { 'metallb.io/loadBalancerIPs': NOWHERE };
  await resource(kube, Services).create(newService(keyOf({ metadata: BELL }), { annotations }));
}

async function refusalOf(done: Promise<unknown>): Promise<string | undefined> {
  try {
    await done;
    return undefined;
  } catch (e) {
    if (e instanceof ApiError) return `${e.status} ${e.reason}`;
    throw e;
  }
}

/** Does a change; an object that is not there is left alone. */
async function apply(kube: KubeClient, change: Change): Promise<unknown> {
  const services = resource(kube, Services);
  const pools = resource(kube, IPAddressPools);
  const communities = resource(kube, Communities);
  if ('service' in change) {
    const ref = refOf(change.service);
    if (await services.get(ref)) return services.mergePatch(ref, servicePatch(change.sketch));
    return services.create(newService(change.service, change.sketch));
  }
  if ('remove' in change) return services.delete(refOf(change.remove));
  if ('status' in change) {
    const ingress = change.ingress.length > 0 ? change.ingress.map((ip) => ({ ip })) : null;
    const body = { status: { loadBalancer: { ingress } } };
    return services.mergePatch(refOf(change.status), body, { subresource: 'status' });
  }
  if ('annotate' in change) {
    const annotations = { 'metallb.io/ip-allocated-from-pool': change.pool };
    return services.mergePatch(refOf(change.annotate), { metadata: { annotations } });
  }
  if ('pool' in change) {
    const ref = { namespace: NAMESPACE, name: change.pool };
    if (!(await pools.get(ref))) return pools.create(newPool(change.pool, change.spec));
    return pools.jsonPatch(ref, [{ op: 'replace', path: '/spec', value: change.spec }]);
  }
  if ('removePool' in change) return pools.delete({ namespace: NAMESPACE, name: change.removePool });
  if ('namespace' in change)
    return resource(kube, Namespaces).mergePatch(
      { name: change.namespace },
      { metadata: { labels: { team: change.team } } },
    );
  await communities.delete({ namespace: NAMESPACE, name: 'alias' });
  if (change.community !== null) return communities.create(newCommunity(change.community));
}

/** An answer takes milliseconds; who has not answered by then is asked why. */
const PATIENCE_MS = 400;

async function ring(kube: KubeClient, view: View, pid: () => number): Promise<boolean> {
  const body = { status: { loadBalancer: { ingress: [{ ip: NOWHERE }] } } };
  const rung = await resource(kube, Services).mergePatch(BELL, body, { subresource: 'status' });
  const since = BigInt(rung.metadata.resourceVersion);
  const start = performance.now();
  const answer = () => {
    const bell = view.hidden();
    if (bell && BigInt(bell.metadata.resourceVersion) > since && bell.status.ingress.length === 0)
      return 'heard';
    return performance.now() - start > PATIENCE_MS && isRefused(view) && 'idle';
  };
  const what = 'the controller to clear a foreign address';
  const stop = () => (existsSync(`/proc/${pid()}`) ? undefined : new Error('the controller ended by itself'));
  return (await until(what, answer, { timeoutMs: 30_000, everyMs: 5, stop })) === 'heard';
}

const isRefused = (view: View): boolean => view.seen().state?.status?.result === 'Invalid';

async function clear(kube: KubeClient, { services, pools }: Seen): Promise<void> {
  for (const key of services.keys()) await resource(kube, Services).delete(refOf(key));
  for (const name of pools.keys())
    await resource(kube, IPAddressPools).delete({ namespace: NAMESPACE, name });
  await apply(kube, { community: null });
  for (const namespace of ['t1', 't2'] as const) await apply(kube, { namespace, team: null });
}
