import { rank } from '../../src/domain/election/ranks.ts';
import { connect, type KubeClient } from '../../src/platform/kube/client.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { until } from '../servers/exec.ts';
import type { Daemon } from '../servers/run.ts';
import { type Lab, startLab } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';
import { NAMESPACE, SPEAKER_LABELS } from './objects.rig.ts';
import { makeServices, patch } from './services.rig.ts';
import { startUpstream, UPSTREAM_LABELS } from './upstream.rig.ts';
import { startWatch, type Watch } from './watch.rig.ts';

export type Product = 'herald' | 'upstream';

export interface SiteOptions {
  /** `mixed`: the last node has upstream's speaker, all others have Herald's. */
  readonly product: Product | 'mixed';
  readonly nodes: number;
  /** Addresses, one a Service, with endpoints on each node. */
  readonly addresses: number;
  /** At most so many of them, spread evenly, are watched; default 100. */
  readonly watched?: number;
  /** Speakers as in the image; for figures. */
  readonly bundled?: boolean;
}

/** A node with its speaker. */
export interface Member {
  readonly name: string;
  readonly host: Host;
  readonly mac: string;
  /** On the network of the ring. */
  readonly address: string;
  /** Of the speaker; undefined while there is none. */
  readonly pid: number | undefined;
  /** Resolves when the speaker is ready. */
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** As a DaemonSet replaces it: its Pod is deleted, the process ends, a new one starts, and is Ready. */
  roll(): Promise<void>;
}

/** Nodes whose speakers form a ring, Services that they announce, and one client that watches. */
export interface Site {
  readonly lab: Lab;
  readonly kube: KubeClient;
  readonly members: readonly Member[];
  readonly client: Host;
  readonly ips: readonly string[];
  readonly watched: readonly string[];
  readonly watch: Watch;
  /** Whom an address belongs to while all are well: the first in upstream's order. */
  home(ip: string): Member;
  /** Resolves when each watched address is answered by its owner alone. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** What the client, one process of many here, still asks for and reads with ease. */
const QUESTIONS_A_SECOND = 5_000;
const HERALD_LABELS = Object.entries(SPEAKER_LABELS)
  .map(([name, value]) => `${name}=${value}`)
  .join();
const ADDRESSES_BEGIN = 10 * 2 ** 24 + 200 * 2 ** 16 + 1;

export async function startSite(o: SiteOptions): Promise<Site> {
  const lab = await startLab({ bundled: o.bundled ?? false });
  try {
    const log = createLog({ level: 'error', clock: systemClock });
    const { kubeconfig } = lab.api;
    const kube = await connect({ kubeconfig, log, userAgent: 'lab', qps: 0 });
    lab.run.defer(() => kube.close());
    const members: Member[] = [];
    const mixed = o.product === 'mixed';
    for (let i = 1; i <= o.nodes; i++) {
      const product = o.product !== 'mixed' ? o.product : i < o.nodes ? 'herald' : 'upstream';
      members.push(await makeMember({ lab, kube }, { product, mixed, name: `n${i}` }));
    }
    const client = await lab.network.client('client');
    await lab.objects.pool('all', '10.200.0.0/16');
    await lab.objects.advertisement('all');
    const ips = Array.from({ length: o.addresses }, (_, i) => ipOf(ADDRESSES_BEGIN + i));
    const names = members.map(({ name }) => name);
    await makeServices(
      { api: lab.api, kube },
      ips.map((ip, i) => ({ name: `s${i}`, ip })),
      names,
    );
    await Promise.all(members.map((member) => member.start()));
    const step = Math.max(1, ips.length / (o.watched ?? 100));
    const watched = ips.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
    const watch = await startWatch(
      client,
      watched,
      Math.max(5, (1_000 * watched.length) / QUESTIONS_A_SECOND),
    );
    lab.run.defer(async () => watch.close());
    const home = (ip: string) => {
      const [first] = rank(names, ip);
      const member = members.find(({ name }) => name === first);
      if (!member) throw new Error(ip);
      return member;
    };
    const settled = async () => {
      const wanted = new Map(watched.map((ip) => [ip, home(ip).mac]));
      const all = async () =>
        Object.entries(await watch.owners()).every(
          ([ip, macs]) => macs.length === 1 && macs[0] === wanted.get(ip),
        );
      await until('each address at its owner', all, { timeoutMs: 120_000, everyMs: 25 });
    };
    return { lab, kube, members, client, ips, watched, watch, home, settled, close: () => lab.close() };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

const ipOf = (n: number) => [24, 16, 8, 0].map((shift) => (n >> shift) & 255).join('.');

async function makeMember(
  { lab, kube }: { lab: Lab; kube: KubeClient },
  { product, mixed, name }: { readonly product: Product; readonly mixed: boolean; readonly name: string },
): Promise<Member> {
  const host = await lab.network.node(name);
  const shown = await host.exec('ip', '-o', '-4', 'address', 'show', 'mgmt0');
  const address = /inet (\S+)\//.exec(shown)?.[1] ?? '';
  await kube.request({
    method: 'POST',
    path: '/api/v1/nodes',
    body: { metadata: { name, labels: { 'kubernetes.io/hostname': name } } },
  });
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
  const addresses = [{ type: 'InternalIP', address }];
  await patch(kube, `/api/v1/nodes/${name}/status`, { status: { addresses, conditions } });
  // In a mixed fleet all have Herald's, so that both products know all Pods.
  const labels = mixed || product === 'herald' ? HERALD_LABELS : UPSTREAM_LABELS;
  const pod = podOf(kube, { labels, name, address });
  await pod.make(true);
  let daemon: Daemon | undefined;
  const member: Member = {
    name,
    host,
    address,
    mac: await macOf(host, 'lan0'),
    get pid() {
      return daemon?.pid;
    },
    async start() {
      daemon =
        product === 'herald'
          ? (await lab.speaker(host, { args: [`--ml-bindaddr=${address}`] })).daemon
          : await startUpstream(lab, host, { address, labels });
    },
    async stop(signal = 'SIGTERM') {
      await daemon?.stop(signal, 10_000);
      daemon = undefined;
    },
    async roll() {
      await pod.delete();
      await member.stop();
      await pod.forget();
      await pod.make(false);
      await member.start();
      await pod.ready();
    },
  };
  return member;
}

/** A speaker's Pod, in the states that a kubelet takes it through. */
function podOf(kube: KubeClient, o: { labels: string; name: string; address: string }) {
  const labels = Object.fromEntries(o.labels.split(',').map((label) => label.split('=')));
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`;
  const path = `${pods}/speaker-${o.name}`;
  const status = (ready: boolean) => {
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    return patch(kube, `${path}/status`, {
      status: { phase: 'Running', podIP: o.address, podIPs: [{ ip: o.address }], conditions: [condition] },
    });
  };
  return {
    async make(ready: boolean) {
      const containers = [{ name: 'speaker', image: 'speaker' }];
      const spec = { nodeName: o.name, hostNetwork: true, containers };
      await kube.request({
        method: 'POST',
        path: pods,
        body: { metadata: { name: `speaker-${o.name}`, labels }, spec },
      });
      await status(ready);
    },
    ready: () => status(true),
    /** It shows as being deleted, and stays until `forget`. */
    delete: () => kube.request({ method: 'DELETE', path }),
    forget: () => kube.request({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } }),
  };
}
