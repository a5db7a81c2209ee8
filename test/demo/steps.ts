/** The steps of the demo, in order. Each pushes a commit, watches where it goes, and proves what it says. */
import { type Fleet, install, labValues, NAME, NAMESPACE, type Pod } from '../fleet/fleet.ts';
import { at, condition, isCurrently, type Raw } from '../fleet/observe.ts';
import { type Prober, probe } from '../fleet/prober.ts';
import { say, sayHops, title } from './say.ts';

/** What the first commit made, for the later ones: the pool's values, the Service's address, and who asks for it. */
export interface Lab {
  readonly values: string;
  readonly address: string;
  readonly prober: Prober;
}

const pools = (fleet: Fleet, ranges: readonly (readonly [number, number])[]): string =>
  labValues(
    `pools:
  web:
    addresses:
${ranges.map(([a, b]) => `      - ${fleet.cluster.network.address(a)}-${fleet.cluster.network.address(b)}\n`).join('')}l2Advertisements:
  lan:
    ipAddressPools: [web]
`,
  );

const commit = (sha: string): string => sha.slice(0, 8);
const appliesTo = (sha: string) => (o: Raw) => String(at(o, 'status.lastAppliedRevision')).endsWith(sha);
const tells = (o: Raw | undefined, type = 'Ready'): string => {
  const c = o && condition(o, type);
  return c ? `${type}=${c.status} ${c.reason}: ${c.message}` : 'nothing';
};

export async function installHerald(fleet: Fleet): Promise<void> {
  title('Flux installs Herald: one HelmRelease, from the overlay in git');
  const start = performance.now();
  await install(fleet);
  const [ready] = await Promise.all([fleet.ready(), fleet.startWeb()]);
  say(`HelmRelease ${tells(ready.object)} (after ${((ready.at - start) / 1000).toFixed(1)} s)`);
  for (const pod of await fleet.pods())
    say(`pod ${pod.name} on ${pod.node}, ${pod.ready ? 'ready' : 'not ready'}`);
}

/** First commit: a pool. Then a Service, its address, the first ARP reply, and a page through kube-proxy. */
export async function addPool(fleet: Fleet): Promise<Lab> {
  title('First commit: a pool, and an advertisement');
  const values = pools(fleet, [[200, 209]]);
  const { sha, at: start } = await fleet.pushValues(values, 'l2-lab: add pool web');
  say(
    `git push ${commit(sha)}: pool web ${fleet.cluster.network.address(200)}-${fleet.cluster.network.address(209)}`,
  );
  const [source, sync, pool, accepted, release] = await Promise.all([
    fleet.see('gitrepository', NAME, {
      what: 'GitRepository at the commit',
      until: (o) => String(at(o, 'status.artifact.revision')).endsWith(sha),
    }),
    fleet.see('kustomization', NAME, { what: 'Kustomization at the commit', until: appliesTo(sha) }),
    fleet.see('pool', 'web', { what: 'pool web', until: () => true }),
    fleet.see('configsource', NAME, {
      what: 'ConfigSource with the pool',
      until: (o) => isCurrently(o, 'Ready', 'True') && at(o, 'status.pools') === 1,
    }),
    fleet.see('helmrelease', NAME, {
      what: 'second release',
      until: (o) => isCurrently(o, 'Ready', 'True') && at(o, 'status.history[0].version') === 2,
    }),
  ]);
  sayHops(start, [
    { what: 'GitRepository has the commit', at: source.at },
    { what: 'Kustomization applied it', at: sync.at },
    { what: 'pool web is there (kubectl get ipaddresspools)', at: pool.at },
    { what: 'ConfigSource: accepted', at: accepted.at },
    { what: 'HelmRelease Ready', at: release.at },
  ]);
  say(await fleet.cluster.kubectl('-n', NAMESPACE, 'get', 'ipaddresspools,configsources'));
  return { values, ...(await exposeWeb(fleet)) };
}

/** A Service of type LoadBalancer for the web servers: who serves it, and how soon. */
async function exposeWeb(fleet: Fleet): Promise<Omit<Lab, 'values'>> {
  title('A Service of type LoadBalancer');
  const { cluster } = fleet;
  const first = cluster.network.address(200);
  const prober = probe(cluster, first);
  const start = performance.now();
  const { address, created, seen } = await fleet.expose('web');
  if (address !== first) throw new Error(`Service web got ${address}, expected ${first}`);
  const reply = await prober.firstAfter(created);
  sayHops(start, [
    { what: 'Service created', at: created },
    { what: `address ${address}`, at: seen.at },
    { what: `first ARP reply, from ${reply.mac} (arping every 20 ms)`, at: reply.at },
  ]);
  say(tells(seen.object, 'herald.io/Allocated'));
  const pages = new Set<string>();
  for (let i = 0; i < 20 && pages.size < 2; i++) pages.add(await fleet.page(address));
  say(`curl http://${address}/hostname from outside, through kube-proxy: ${[...pages].join(', ')}`);
  return { address, prober };
}

/** Second commit: the pool grows while the prober runs. Nothing restarts, nothing is lost. */
export async function changePool(fleet: Fleet, lab: Lab): Promise<void> {
  title('Second commit: the pool changes live');
  const before = await fleet.pods();
  const meanwhile = probe(fleet.cluster, lab.address);
  await meanwhile.firstAfter(performance.now());
  const values = pools(fleet, [
    [200, 209],
    [220, 239],
  ]);
  const { sha, at: start } = await fleet.pushValues(values, 'l2-lab: grow pool web');
  const grown = await fleet.see('pool', 'web', {
    what: 'grown pool',
    until: (o) => at(o, 'spec.addresses[1]') !== undefined,
  });
  const release = await fleet.see('helmrelease', NAME, {
    what: 'third release',
    until: (o) => isCurrently(o, 'Ready', 'True') && at(o, 'status.history[0].version') === 3,
  });
  sayHops(start, [
    { what: `pool web has a second range (git push ${commit(sha)})`, at: grown.at },
    { what: 'HelmRelease Ready', at: release.at },
  ]);
  const after = await fleet.pods();
  const same = (a: Pod[]): string =>
    a
      .map((p) => `${p.uid} ${p.restarts}`)
      .sort()
      .join();
  if (same(before) !== same(after)) throw new Error('a pod was replaced or restarted');
  const count = await meanwhile.stop();
  if (count.lost > 0) throw new Error(`${count.lost} of ${count.sent} ARP requests were lost`);
  say(`${after.length} pods: same UIDs, no restart; ${count.received} ARP replies meanwhile, none lost`);
}

/** Third commit: a range that is the wrong way round. Refused with its place; the pool stays. */
export async function badRange(fleet: Fleet, lab: Lab): Promise<void> {
  title('Third commit: a bad range');
  const values = pools(fleet, [[209, 200]]);
  const { sha, at: start } = await fleet.pushValues(values, 'l2-lab: a range the wrong way round');
  const refused = await fleet.see('configsource', NAME, {
    what: 'refusal',
    until: (o) => isCurrently(o, 'Stalled', 'True'),
  });
  const release = await fleet.see('helmrelease', NAME, {
    what: 'failed release',
    until: (o) => condition(o, 'Ready')?.status === 'False' && at(o, 'status.history[0].version') === 4,
  });
  sayHops(start, [
    { what: `ConfigSource refused it (git push ${commit(sha)})`, at: refused.at },
    { what: 'HelmRelease shows it', at: release.at },
  ]);
  say(`ConfigSource ${tells(refused.object)}`);
  say(`HelmRelease ${tells(release.object)}`);
  await stillServed(fleet, lab);
}

/** Fourth commit: a file that is no YAML. Flux's own condition says so; the last good state stays. */
export async function brokenYaml(fleet: Fleet, lab: Lab): Promise<void> {
  title('Fourth commit: broken YAML');
  const { sha, at: start } = await fleet.pushValues(`pools:\n  web: [\n\taddresses\n`, 'l2-lab: no YAML');
  const release = await fleet.see('helmrelease', NAME, {
    what: 'ValuesError',
    until: (o) => condition(o, 'Ready')?.reason === 'ValuesError',
  });
  sayHops(start, [{ what: `HelmRelease shows it (git push ${commit(sha)})`, at: release.at }]);
  say(`HelmRelease ${tells(release.object)}`);
  await stillServed(fleet, lab);
  title('And back: the last good commit again');
  const back = await fleet.pushValues(lab.values, 'l2-lab: back to the first pool');
  const ready = await fleet.see('helmrelease', NAME, {
    what: 'recovered',
    until: (o) => isCurrently(o, 'Ready', 'True'),
    timeoutMs: 120_000,
  });
  sayHops(back.at, [{ what: `HelmRelease Ready (git push ${commit(back.sha)})`, at: ready.at }]);
  await stillServed(fleet, lab);
}

/** Fifth commit: it would take the address in use away. It is held; the commit is taken back. */
export async function takeAway(fleet: Fleet, lab: Lab): Promise<void> {
  title('Fifth commit: a range that would take the address of a Service away');
  const { sha, at: start } = await fleet.pushValues(pools(fleet, [[220, 239]]), 'l2-lab: another range');
  const held = await fleet.see('configsource', NAME, {
    what: 'hold',
    until: (o) => condition(o, 'Stalled')?.reason === 'HeldInUse',
  });
  sayHops(start, [{ what: `held (git push ${commit(sha)})`, at: held.at }]);
  say(`ConfigSource ${tells(held.object)}`);
  say(await fleet.cluster.kubectl('-n', NAMESPACE, 'get', 'plans,ipaddresspools'));
  await stillServed(fleet, lab);
  title('And back once more');
  const back = await fleet.pushValues(`${lab.values}# as before\n`, 'l2-lab: the first pool stays');
  const plan = await fleet.see('configsource', NAME, {
    what: 'nothing held',
    until: (o) => isCurrently(o, 'Ready', 'True'),
  });
  sayHops(back.at, [{ what: `nothing is held any more (git push ${commit(back.sha)})`, at: plan.at }]);
  await stillServed(fleet, lab);
}

/** The Service still has its address, the wire still answers, and the page still comes. */
async function stillServed(fleet: Fleet, lab: Lab): Promise<void> {
  const service = await fleet.see('service', 'web', { what: 'Service', until: () => true });
  const now = at(service.object, 'status.loadBalancer.ingress[0].ip');
  if (now !== lab.address) throw new Error(`Service web has ${now}, it had ${lab.address}`);
  await lab.prober.firstAfter(performance.now(), 2000);
  say(
    `nothing lost: Service web still has ${lab.address}, ARP answers, and the page comes from ${await fleet.page(lab.address)}`,
  );
}
