import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { LeaderElector, type LeaderOptions } from '../../src/platform/kube/lease.ts';
import { abortError, systemClock } from '../../src/platform/obs/clock.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { type ApiServer, startApiServer } from '../servers/index.ts';
import { client, silent, startRelay } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  api = await startApiServer({ crds: false });
  kube = await client(api.kubeconfig);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await kube?.close();
  await api?.stop();
});

const soon = { timeout: 20_000, interval: 10 };
const QUICK = { durationMs: 2_000, renewMs: 1_000, retryMs: 100 };

/** Who leads which lease at the moment: two names at once would be the failure that a Lease is there to prevent. */
const leading = new Map<string, Set<string>>();
let worst = 0;

interface Candidate {
  readonly elector: LeaderElector;
  /** Times that it was made leader. */
  readonly terms: number;
  /** Ends in order, as on SIGTERM. */
  stop(): Promise<void>;
}

function candidate(name: string, identity: string, o: Partial<LeaderOptions> = {}): Candidate {
  const elector = new LeaderElector({
    client: kube,
    namespace: 'default',
    name,
    identity,
    clock: systemClock,
    random: systemRandom,
    log: silent,
    ...QUICK,
    ...o,
  });
  const end = new AbortController();
  let terms = 0;
  const lead = async (signal: AbortSignal) => {
    terms++;
    const now = leading.get(name) ?? new Set();
    leading.set(name, now.add(identity));
    worst = Math.max(worst, now.size);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    now.delete(identity);
    throw abortError(signal);
  };
  const running = elector.run({ signal: end.signal, lead });
  const stop = async () => {
    end.abort();
    await running;
  };
  closing.push(stop);
  return {
    elector,
    get terms() {
      return terms;
    },
    stop,
  };
}

const spec = async (name: string): Promise<Record<string, unknown>> =>
  JSON.parse(await api.kubectl('get', 'lease', name, '-o', 'jsonpath={.spec}')) as Record<string, unknown>;

describe('a Lease', () => {
  it('is held by one, and handed over at once when that one ends in order: nobody looks now and then', async () => {
    const a = candidate('handover', 'a');
    await expect.poll(() => a.elector.leading, soon).toBe(true);
    expect(await spec('handover')).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 2,
      leaseTransitions: 0,
    });
    const b = candidate('handover', 'b', { durationMs: 600_000, retryMs: 600_000 });
    const before = (await spec('handover')).renewTime;
    await expect.poll(async () => (await spec('handover')).renewTime, soon).not.toBe(before);
    expect(b.elector.leading).toBe(false);
    await a.stop();
    expect(a.elector.leading).toBe(false);
    await expect.poll(() => b.elector.leading, soon).toBe(true);
    expect(await spec('handover')).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('is taken back at once by a restarted process of the same name', async () => {
    // Held for ten minutes by a process that died without a word.
    const held = { holderIdentity: 'pod-0', leaseDurationSeconds: 600, leaseTransitions: 3 };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'restart' },
      spec: held,
    };
    await api.kubectlInput(JSON.stringify(lease), 'create', '-f', '-');
    const other = candidate('restart', 'pod-1');
    const same = candidate('restart', 'pod-0');
    await expect.poll(() => same.elector.leading, soon).toBe(true);
    expect(other.elector.leading).toBe(false);
    expect(await spec('restart')).toMatchObject({ holderIdentity: 'pod-0', leaseTransitions: 3 });
  });

  it('of a dead process is taken when it has not changed for as long as it promised', async () => {
    // Its times lie in the future, as with a clock that runs ahead: they are never looked at.
    const ahead = '2099-01-01T00:00:00.000000Z';
    const held = { holderIdentity: 'dead', leaseDurationSeconds: 1, renewTime: ahead, acquireTime: ahead };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'dead' },
      spec: held,
    };
    await api.kubectlInput(JSON.stringify(lease), 'create', '-f', '-');
    const a = candidate('dead', 'a', { retryMs: 600_000 });
    await expect.poll(() => a.elector.leading, soon).toBe(true);
  });

  it('that is deleted under a standby is taken at once', async () => {
    const held = { holderIdentity: 'dead', leaseDurationSeconds: 600 };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'gone' },
      spec: held,
    };
    await api.kubectlInput(JSON.stringify(lease), 'create', '-f', '-');
    const watching = Promise.withResolvers<void>();
    const told: KubeClient = {
      server: kube.server,
      request: (r) => kube.request(r),
      watch: (r) => kube.watch({ ...r, onOpen: watching.resolve }),
      close: async () => {},
    };
    const a = candidate('gone', 'a', { client: told, retryMs: 600_000 });
    await watching.promise;
    await api.kubectl('delete', 'lease', 'gone');
    await expect.poll(() => a.elector.leading, soon).toBe(true);
  });

  it('that somebody else took stops the work, and is won again later', async () => {
    const a = candidate('stolen', 'a');
    await expect.poll(() => a.elector.leading, soon).toBe(true);
    const thief = { spec: { holderIdentity: 'thief', leaseDurationSeconds: 1 } };
    await api.kubectl('patch', 'lease', 'stolen', '--type=merge', '-p', JSON.stringify(thief));
    await expect.poll(() => leading.get('stolen')?.size, soon).toBe(0);
    await expect.poll(() => a.terms, soon).toBe(2);
    expect(await spec('stolen')).toMatchObject({ holderIdentity: 'a', leaseTransitions: 1 });
  });

  it('that was deleted is made again by its holder', async () => {
    const a = candidate('deleted', 'a');
    await expect.poll(() => a.elector.leading, soon).toBe(true);
    await api.kubectl('delete', 'lease', 'deleted');
    await expect.poll(() => spec('deleted').catch(() => ({})), soon).toMatchObject({ holderIdentity: 'a' });
    expect(a.terms).toBe(1);
  });

  it('passes on when its holder loses the network, and never has two holders', async () => {
    const relay = await startRelay(api, 'lease');
    closing.push(() => relay.close());
    const cut = await client(relay.kubeconfig);
    closing.push(() => cut.close());
    const a = candidate('network', 'a', { client: cut });
    await expect.poll(() => a.elector.leading, soon).toBe(true);
    const b = candidate('network', 'b');
    relay.refuse();
    await expect.poll(() => b.elector.leading, soon).toBe(true);
    expect(a.elector.leading).toBe(false);
    relay.accept();
    await b.stop();
    await expect.poll(() => a.terms, soon).toBe(2);
  });

  it('survives a restart of the API server that is shorter than it lasts', async () => {
    const a = candidate('reboot', 'a', { durationMs: 60_000, renewMs: 40_000, retryMs: 100 });
    await expect.poll(() => a.elector.leading, soon).toBe(true);
    await api.restart();
    const before = (await spec('reboot')).renewTime;
    await expect.poll(async () => (await spec('reboot')).renewTime, soon).not.toBe(before);
    expect(a.terms).toBe(1);
  });

  it('had one leader at a time in everything above', () => {
    expect(leading.size).toBe(8);
    expect(worst).toBe(1);
  });
});
