/**
 * Figures of the whole path on a whole cluster: git push to each hop, Service to address to ARP reply, pool change to ARP
 * reply. `node test/bench/path.ts [PUSHES] [SERVICES]`, default 10 and 50. Prints; passes and fails nothing.
 */
import { type Fleet, install, labValues, NAME, NAMESPACE, startFleet } from '../fleet/fleet.ts';
import { at, isCurrently } from '../fleet/observe.ts';
import { probe } from '../fleet/prober.ts';
import { available } from '../servers/index.ts';

const [pushes = 10, services = 50] = process.argv.slice(2).map(Number);

/** Nearest-rank percentile of milliseconds. */
function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))] ?? Number.NaN
  );
}

function say(what: string, values: readonly number[]): void {
  const ms = (p: number) => `${percentile(values, p).toFixed(0)} ms`.padStart(8);
  console.log(`${what.padEnd(58)} p50 ${ms(50)}  p99 ${ms(99)}  max ${ms(100)}  n=${values.length}`);
}

const values = (fleet: Fleet, last: number): string =>
  labValues(`pools:
  web:
    addresses: [${fleet.cluster.network.address(110)}-${fleet.cluster.network.address(last)}]
l2Advertisements:
  lan:
    ipAddressPools: [web]
`);

/** One value more or less in the pool, pushed; how long each hop took. */
async function pushHops(fleet: Fleet): Promise<void> {
  const hops: Record<string, number[]> = {
    GitRepository: [],
    Kustomization: [],
    pool: [],
    ConfigSource: [],
    HelmRelease: [],
  };
  for (let i = 0; i < pushes; i++) {
    const last = 200 + i;
    const { sha, at: start } = await fleet.pushValues(values(fleet, last), `pool until .${last}`);
    const until = (o: Parameters<typeof at>[0]) => String(at(o, 'spec.addresses[0]')).endsWith(`.${last}`);
    const { object: before } = await fleet.see('configsource', NAME, {
      what: 'ConfigSource',
      until: () => true,
    });
    const seen = await Promise.all([
      fleet.see('gitrepository', NAME, {
        what: 'source',
        until: (o) => String(at(o, 'status.artifact.revision')).endsWith(sha),
      }),
      fleet.see('kustomization', NAME, {
        what: 'sync',
        until: (o) => String(at(o, 'status.lastAppliedRevision')).endsWith(sha),
      }),
      fleet.see('pool', 'web', { what: 'pool', until }),
      fleet.see('configsource', NAME, {
        what: 'accepted',
        until: (o) => isCurrently(o, 'Ready', 'True') && at(o, 'spec.digest') !== at(before, 'spec.digest'),
      }),
      fleet.see('helmrelease', NAME, {
        what: 'released',
        until: (o) => isCurrently(o, 'Ready', 'True') && at(o, 'status.history[0].version') === i + 2,
      }),
    ]);
    for (const [hop, list] of Object.values(hops).entries()) list.push((seen[hop]?.at ?? Number.NaN) - start);
  }
  for (const [hop, list] of Object.entries(hops)) say(`git push -> ${hop}`, list);
}

async function serviceHops(fleet: Fleet): Promise<void> {
  const [address, reply]: [number[], number[]] = [[], []];
  for (let i = 0; i < services; i++) {
    const prober = probe(fleet.cluster, fleet.cluster.network.address(110), 2);
    // The prober must be asking before there is anything to answer.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { created, seen } = await fleet.expose(`bench-${i}`);
    address.push(seen.at - created);
    reply.push((await prober.firstAfter(created)).at - created);
    await prober.stop();
    await fleet.cluster.kubectl('delete', 'service', `bench-${i}`, '--wait=true');
  }
  say('Service created -> address', address);
  say('Service created -> first ARP reply (asked every 2 ms)', reply);
}

/** The advertisement goes and comes back, as the reconciler would write it; the address is announced again. */
async function advertisementHops(fleet: Fleet): Promise<void> {
  const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/l2advertisements`;
  const body = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'L2Advertisement',
    metadata: { name: 'bench', namespace: NAMESPACE },
  };
  const spec = { ipAddressPools: ['hand'] };
  const pool = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: 'hand', namespace: NAMESPACE },
  };
  const address = fleet.cluster.network.address(250);
  await fleet.client.request({
    method: 'POST',
    path: `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/ipaddresspools`,
    body: { ...pool, spec: { addresses: [`${address}/32`], autoAssign: false } },
  });
  await fleet.expose('hand', { 'metallb.io/address-pool': 'hand' });
  const reply: number[] = [];
  for (let i = 0; i < services; i++) {
    const prober = probe(fleet.cluster, address, 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await fleet.client.request({ method: 'POST', path, body: { ...body, spec } });
    const created = performance.now();
    reply.push((await prober.firstAfter(created)).at - created);
    await prober.stop();
    await fleet.client.request({ method: 'DELETE', path: `${path}/bench` });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  say('advertisement created -> first ARP reply (asked every 2 ms)', reply);
}

const can = available('cluster');
if (can !== true) console.log(`path: skipped: ${can}`);
else {
  const fleet = await startFleet({ nodes: 2 });
  try {
    await install(fleet);
    await Promise.all([fleet.ready(), fleet.startWeb()]);
    await pushHops(fleet);
    await serviceHops(fleet);
    await advertisementHops(fleet);
  } finally {
    await fleet.stop();
  }
}
