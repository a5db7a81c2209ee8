/** Herald as operators run it: installed by Flux from git on a whole cluster, changed by commits, and hurt. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, install, labValues, NAME, NAMESPACE, OVERLAY, startFleet } from '../fleet/fleet.ts';
import { at, condition, isCurrently, type Raw } from '../fleet/observe.ts';
import { probe } from '../fleet/prober.ts';
import { leftovers, until } from '../servers/index.ts';

const values = (fleet: Fleet, more = '', last = 209): string =>
  `${labValues(`pools:
  web:
    addresses: [${fleet.cluster.network.address(200)}-${fleet.cluster.network.address(last)}]
l2Advertisements:
  lan:
    ipAddressPools: [web]
`)}${more}`;

/** Another template of every pod. */
const ROLLED = ['reconciler', 'controller', 'speaker']
  .map((c) => `${c}:\n  podAnnotations: {example.com/roll: "1"}\n`)
  .join('');

const tell = (what: string, ms: number): void => console.log(`e2e: ${what}: ${(ms / 1000).toFixed(2)} s`);

describe('a cluster that follows git', () => {
  let fleet: Fleet;
  let address: string;

  beforeAll(async () => {
    fleet = await startFleet({ nodes: 2, deadAfterSeconds: 6 });
  });
  afterAll(async () => {
    await fleet?.stop();
    if (fleet) expect(leftovers(fleet.cluster.dir)).toEqual([]);
  });

  const kubectl = (...args: string[]) => fleet.cluster.kubectl('-n', NAMESPACE, ...args);
  /** Waits until Flux has released exactly this commit's values, or failed to. */
  const released = async (more: (version: number) => boolean, status: 'True' | 'False' = 'True') =>
    fleet.see('helmrelease', NAME, {
      what: `HelmRelease Ready=${status}`,
      until: (o) =>
        more(Number(at(o, 'status.history[0].version'))) && condition(o, 'Ready')?.status === status
          ? status === 'False' || isCurrently(o, 'Ready', 'True')
          : false,
      timeoutMs: 120_000,
    });
  const version = async (): Promise<number> => {
    const { object } = await fleet.see('helmrelease', NAME, { what: 'HelmRelease', until: () => true });
    return Number(at(object, 'status.history[0].version'));
  };
  /** Node that announces, as its speaker says. */
  const owner = async (service = 'web'): Promise<string> => {
    const nodes = async () =>
      (
        await kubectl(
          'get',
          'servicel2statuses',
          '-l',
          `metallb.io/service-name=${service}`,
          '-o',
          'jsonpath={.items[*].status.node}',
        )
      ).split(' ');
    return until('one owner', async () => {
      const all = (await nodes()).filter((n) => n !== '');
      return all.length === 1 ? all[0] : undefined;
    });
  };

  it('is Ready by itself after one pass: CRDs, programs and pool', async () => {
    await fleet.flux.git.push({ [`${OVERLAY}/values.yaml`]: values(fleet) }, 'pool web');
    await Promise.all([install(fleet), fleet.startWeb()]);
    await fleet.ready();
    await fleet.see('pool', 'web', { what: 'pool web', until: () => true });
    const pods = await fleet.pods();
    expect(pods.length).toBe(5);
    expect(pods.every((p) => p.ready && p.restarts === 0)).toBe(true);
  });

  it('serves a Service to a client outside: address, ARP, page', async () => {
    ({ address } = await fleet.expose('web'));
    expect(address).toBe(fleet.cluster.network.address(200));
    const prober = probe(fleet.cluster, address);
    const { mac } = await prober.firstAfter(0);
    await prober.stop();
    const node1 = fleet.cluster.nodes[0]?.netns ?? '';
    const link = await fleet.cluster.run(node1, 'ip', ['-o', 'link', 'show', 'eth0']);
    expect(link.stdout.includes(mac) === ((await owner()) === 'node1')).toBe(true);
    expect(await fleet.page(address)).toMatch(/^web-/);
  });

  it('shows no drift to Flux, and no release without a change', async () => {
    const before = await version();
    await fleet.flux.reconcile(`helmrelease/${NAME}`, NAMESPACE);
    const token = await kubectl(
      'get',
      'helmrelease',
      NAME,
      '-o',
      String.raw`jsonpath={.metadata.annotations.reconcile\.fluxcd\.io/requestedAt}`,
    );
    const { object } = await fleet.see('helmrelease', NAME, {
      what: 'reconciled',
      until: (o) => at(o, 'status.lastHandledReconcileAt') === token && isCurrently(o, 'Ready', 'True'),
    });
    expect(condition(object, 'Drifted')?.status ?? 'False').toBe('False');
    expect(await version()).toBe(before);
    const events = await kubectl('get', 'events', '-o', 'jsonpath={.items[*].reason}');
    expect(events).not.toContain('DriftDetected');
  });

  it('takes a pool commit live: no pod restarts, no reply is lost', async () => {
    const pods = async () => (await fleet.pods()).map((p) => `${p.uid} ${p.restarts}`).sort();
    const before = await pods();
    const prober = probe(fleet.cluster, address);
    await prober.firstAfter(0);
    const next = (await version()) + 1;
    await fleet.pushValues(values(fleet, '', 219), 'grow pool web');
    await released((v) => v === next);
    const count = await prober.stop();
    expect(count.lost).toBe(0);
    expect(await pods()).toEqual(before);
  });

  it('takes log level and interface list live, without a new pod', async () => {
    const before = (await fleet.pods()).map((p) => p.uid).sort();
    const next = (await version()) + 1;
    await fleet.pushValues(
      values(
        fleet,
        'speaker:\n  logLevel: debug\ncontroller:\n  logLevel: debug\nreconciler:\n  logLevel: debug\n',
      ),
      'debug',
    );
    await released((v) => v === next);
    expect((await fleet.pods()).map((p) => p.uid).sort()).toEqual(before);
    // kubelet brings a mounted ConfigMap within its sync period.
    for (const component of ['speaker', 'controller', 'reconciler'])
      await until(
        `the ${component} to take the log level`,
        async () =>
          (await kubectl('logs', '-l', `app.kubernetes.io/component=${component}`, '--tail=-1')).includes(
            '"logLevel":"debug"',
          ),
        { timeoutMs: 120_000, everyMs: 1000 },
      );
  });

  it('puts back what somebody changed by hand: the pool by Herald, the workload by Flux', async () => {
    await expect(kubectl('delete', 'ipaddresspool', 'web')).rejects.toThrow(/in use/);
    await kubectl('patch', 'ipaddresspool', 'web', '--type=merge', '-p', '{"spec":{"avoidBuggyIPs":true}}');
    await fleet.see('pool', 'web', {
      what: 'pool as rendered',
      until: (o) => at(o, 'spec.avoidBuggyIPs') === false,
    });
    await kubectl('scale', 'deployment/herald-controller', '--replicas=1');
    await fleet.flux.reconcile(`helmrelease/${NAME}`, NAMESPACE);
    await until(
      'two replicas again',
      async () =>
        (await kubectl(
          'get',
          'deployment',
          'herald-controller',
          '-o',
          'jsonpath={.status.readyReplicas}',
        )) === '2',
      { timeoutMs: 90_000 },
    );
  });

  it('refuses a bad commit with its place, rolls back where asked to, and keeps everything', async () => {
    const remediate = `patches:
  - target: {kind: HelmRelease, name: herald}
    patch: |-
      - op: replace
        path: /spec/upgrade
        value: {crds: CreateReplace, strategy: {name: RemediateOnFailure}, remediation: {retries: 0, strategy: rollback, remediateLastFailure: true}}
`;
    const kustomization = `${fleet.flux.git.clone}/${OVERLAY}/kustomization.yaml`;
    const good = values(fleet);
    const next = (await version()) + 1;
    await fleet.push(
      {
        [`${OVERLAY}/kustomization.yaml`]: readFileSync(kustomization, 'utf8') + remediate,
        [`${OVERLAY}/values.yaml`]: good,
      },
      'roll back on failure',
    );
    await released((v) => v === next);
    await fleet.pushValues(good.replace(/\.200-/, '.250-'), 'a reversed range');
    const rolledBack = await fleet.see('helmrelease', NAME, {
      what: 'roll-back',
      until: (o) => condition(o, 'Remediated')?.status === 'True',
      timeoutMs: 120_000,
    });
    expect(condition(rolledBack.object, 'Remediated')?.reason).toBe('RollbackSucceeded');
    const source = await fleet.see('configsource', NAME, {
      what: 'accepted again',
      until: (o) => isCurrently(o, 'Ready', 'True'),
    });
    expect(at(source.object, 'status.pools')).toBe(1);
    expect(await fleet.page(address)).toMatch(/^web-/);
    await fleet.pushValues(`${good}# good again\n`, 'good again');
    await released((v) => v > next + 1);
  });

  it('holds a commit that takes an address in use away: nothing is lost, Flux says so at once, and a revert heals', async () => {
    const prober = probe(fleet.cluster, address);
    await prober.firstAfter(0);
    const next = (await version()) + 1;
    const cut = values(fleet).replace('.200-', '.210-').replace('.209', '.219');
    const { at: pushed } = await fleet.pushValues(cut, 'move pool web away from its Service');
    const held = await fleet.see('configsource', NAME, {
      what: 'hold',
      until: (o) => condition(o, 'Stalled')?.reason === 'HeldInUse',
    });
    tell('commit that would take an address away until it shows as held', held.at - pushed);
    expect(condition(held.object, 'Ready')).toMatchObject({ status: 'False', reason: 'HeldInUse' });
    expect(condition(held.object, 'Ready')?.message).toContain('default/web');
    const failed = await released((v) => v === next, 'False');
    tell('the same until the HelmRelease shows it', failed.at - pushed);
    // The safe part is there, and so is what is in use.
    await fleet.see('pool', 'web', {
      what: 'new range beside the old one',
      until: (o) => {
        const ranges = String(at(o, 'spec.addresses'));
        return ranges.includes('.200') && ranges.includes('.219');
      },
    });
    const { object: plan } = await fleet.see('plan', NAME, {
      what: 'Plan',
      until: (o) => at(o, 'status.state') === 'Held',
    });
    expect(at(plan, 'spec.affected[0].service')).toBe('default/web');
    expect(await kubectl('get', 'plans')).toMatch(/Held/);
    await fleet.pushValues(`${values(fleet)}# back\n`, 'back');
    await released((v) => v > next);
    expect((await prober.stop()).lost).toBe(0);
    const { object } = await fleet.see('service', 'web', { what: 'Service web', until: () => true });
    expect(at(object, 'status.loadBalancer.ingress[0].ip')).toBe(address);
  });

  it('carries a held plan out when somebody approves just that plan, and moves Services without a hole when asked to', async () => {
    const range = (a: number, b: number) =>
      `[${fleet.cluster.network.address(a)}-${fleet.cluster.network.address(b)}]`;
    const guest = (addresses: string, more = '') =>
      values(fleet, more).replace(
        'l2Advertisements:',
        `  guest:\n    addresses: ${addresses}\n    autoAssign: false\nl2Advertisements:\n  guest:\n    ipAddressPools: [guest]`,
      );
    await fleet.pushValues(guest(range(240, 241)), 'a pool for guests');
    await fleet.see('pool', 'guest', { what: 'pool guest', until: () => true });
    const first = await fleet.expose('guest', { 'metallb.io/address-pool': 'guest' });
    expect(first.address).toBe(fleet.cluster.network.address(240));

    // Move: the new address answers before the old one stops.
    const [before, after] = [
      probe(fleet.cluster, first.address),
      probe(fleet.cluster, fleet.cluster.network.address(242)),
    ];
    await before.firstAfter(0);
    await fleet.pushValues(guest(range(242, 243), 'change: {policy: move}\n'), 'guests move');
    const moved = await fleet.see('service', 'guest', {
      what: 'the new address alone',
      until: (o) =>
        at(o, 'status.loadBalancer.ingress[0].ip') === fleet.cluster.network.address(242) &&
        at(o, 'status.loadBalancer.ingress[1]') === undefined,
      timeoutMs: 120_000,
    });
    const reply = await after.firstAfter(0);
    expect(reply.at).toBeLessThan(moved.at);
    await Promise.all([before.stop(), after.stop()]);
    await fleet.see('pool', 'guest', {
      what: 'pool guest with its new range alone',
      until: (o) => !String(at(o, 'spec.addresses')).includes('.240'),
    });

    // Approve: the pool goes although its Service loses the address.
    await fleet.pushValues(values(fleet), 'no more guests');
    const { object: plan } = await fleet.see('plan', NAME, {
      what: 'held Plan',
      until: (o) => at(o, 'status.state') === 'Held' && isCurrently(o, 'Ready', 'False'),
    });
    const digest = String(at(plan, 'spec.digest'));
    await kubectl('annotate', 'plan', NAME, `herald.io/approve=${digest}`);
    await until('pool guest to go', async () => !(await kubectl('get', 'ipaddresspools')).includes('guest'));
    await fleet.see('plan', NAME, {
      what: 'Plan applied',
      until: (o) => at(o, 'status.state') === 'Applied',
    });
    await fleet.cluster.kubectl('delete', 'service', 'guest');
  });

  it('rolls every pod by an upgrade and gives each Service the address it had', async () => {
    const before = (await fleet.pods()).map((p) => p.uid);
    const prober = probe(fleet.cluster, address);
    await prober.firstAfter(0);
    const next = (await version()) + 1;
    await fleet.pushValues(values(fleet, ROLLED), 'roll all pods');
    await released((v) => v >= next);
    // The release may be another try of the commit before.
    const stayed = async () => (await fleet.pods()).filter((p) => before.includes(p.uid));
    await until('new pods', async () => (await stayed()).length === 0, { timeoutMs: 120_000 });
    await released((v) => v >= next);
    await prober.firstAfter(performance.now());
    const count = await prober.stop();
    console.log(
      `e2e: all pods rolled: ${count.lost} of ${count.sent} ARP requests (one every 20 ms) had no reply`,
    );
    const { object } = await fleet.see('service', 'web', { what: 'Service web', until: () => true });
    expect(at(object, 'status.loadBalancer.ingress[0].ip')).toBe(address);
  });

  it('goes on giving addresses when the leading controller is killed', async () => {
    const leader = async () =>
      kubectl('get', 'lease', 'herald-controller', '-o', 'jsonpath={.spec.holderIdentity}');
    const first = await leader();
    await kubectl('delete', 'pod', first, '--grace-period=0', '--force');
    const killed = performance.now();
    // The pod object is gone at once; its process lives until the kubelet has seen that.
    await until('another leader', async () => ![first, ''].includes(await leader()), { timeoutMs: 30_000 });
    const { seen } = await fleet.expose('after-leader');
    tell('leading pod deleted by force until another gave an address', seen.at - killed);
    await fleet.cluster.kubectl('delete', 'service', 'after-leader');
  });

  it('moves an address when its speaker pod is killed', async () => {
    const node = await owner();
    const pod = (await fleet.pods()).find((p) => p.name.startsWith('herald-speaker') && p.node === node);
    const prober = probe(fleet.cluster, address);
    await prober.firstAfter(0);
    await kubectl('delete', 'pod', pod?.name ?? '', '--grace-period=0', '--force');
    const killed = performance.now();
    const reply = await prober.firstAfter(killed + 50);
    tell('speaker pod killed until the next ARP reply', reply.at - killed);
    await prober.stop();
    expect(await fleet.page(address)).toMatch(/^web-/);
    await kubectl('rollout', 'status', 'daemonset/herald-speaker', '--timeout=60s');
  });

  it('moves an address when its node is cut off, takes commits meanwhile, and gives it back', async () => {
    const node = await owner();
    const prober = probe(fleet.cluster, address);
    await prober.firstAfter(0);
    await fleet.cluster.nodeDown(node);
    const cut = performance.now();
    const reply = await prober.firstAfter(cut + 100, 60_000);
    tell('node cut off until another answers ARP', reply.at - cut);
    await prober.stop();
    try {
      // Helm's wait may time out on the DaemonSet of a dead node; the pool must be there all the same.
      await fleet.pushValues(values(fleet, ROLLED, 229), 'grow while a node is down');
      const grown = (o: Raw) => String(at(o, 'spec.addresses[0]')).endsWith('.229');
      await fleet.see('pool', 'web', {
        what: 'pool grown while a node is down',
        until: grown,
        timeoutMs: 120_000,
      });
    } finally {
      await fleet.cluster.nodeUp(node);
    }
    await fleet.cluster.nodeReady(node);
    expect(await fleet.page(address)).toMatch(/^web-/);
  });

  it('leaves CRDs, pools and addresses behind when it is uninstalled', async () => {
    await fleet.flux.reconcile(`helmrelease/${NAME}`, NAMESPACE).catch(() => {});
    await fleet.cluster.kubectl(
      '-n',
      'flux-system',
      'patch',
      'kustomization',
      NAME,
      '--type=merge',
      '-p',
      '{"spec":{"suspend":true}}',
    );
    await kubectl('delete', 'helmrelease', NAME, '--timeout=120s');
    await fleet.see('pool', 'web', { what: 'pool web after the uninstall', until: () => true });
    const { object } = await fleet.see('service', 'web', { what: 'Service web', until: () => true });
    expect(at(object, 'status.loadBalancer.ingress[0].ip')).toBe(address);
    expect(await fleet.cluster.kubectl('get', 'crd', 'ipaddresspools.metallb.io', '-o', 'name')).toContain(
      'ipaddresspools',
    );
  });
});
