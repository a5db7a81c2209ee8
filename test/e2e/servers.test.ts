import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, IMAGES, leftovers, startCluster, until } from '../servers/index.ts';

/** A pod of the test image on a node, labelled with its name. */
const pod = (o: { name: string; node: string; args: string[]; hostNetwork?: boolean }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: o.name, labels: { app: o.name } },
  spec: {
    nodeName: o.node,
    hostNetwork: o.hostNetwork ?? false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'agnhost', image: IMAGES.agnhost, imagePullPolicy: 'Never', args: o.args }],
  },
});

describe('a cluster of two nodes', () => {
  let cluster: Cluster;
  const apply = (...objects: object[]) =>
    cluster.kubectlInput(objects.map((o) => JSON.stringify(o)).join('\n---\n'), 'apply', '-f', '-');

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2, crds: false, deadAfterSeconds: 6 });
  });
  afterAll(async () => {
    await cluster?.stop();
    if (cluster) expect(leftovers(cluster.dir)).toEqual([]);
  });

  it('runs pods and balances a Service over both nodes for a client outside', async () => {
    await apply(
      ...cluster.nodes.map((node, i) => {
        const web = pod({ name: `web-${i + 1}`, node: node.name, args: ['netexec', '--http-port=8080'] });
        return { ...web, metadata: { ...web.metadata, labels: { app: 'web' } } };
      }),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: {
          type: 'NodePort',
          selector: { app: 'web' },
          ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
        },
      },
    );
    await cluster.kubectl('wait', '--for=condition=Ready', 'pod', '-l', 'app=web', '--timeout=60s');
    const url = `http://${cluster.nodes[0]?.ip}:30080/hostname`;
    const seen = new Set<string>();
    await until('answers of both pods', async () => {
      const reply = await cluster.run(cluster.client.netns, 'curl', ['-sS', '--max-time', '2', url]);
      if (reply.code === 0) seen.add(reply.stdout);
      return seen.size === 2;
    });
    expect([...seen].sort()).toEqual(['web-1', 'web-2']);
  });

  it.each([false, true])(
    'lets pods reach the API server as their service account (host network: %s)',
    async (hostNetwork) => {
      const name = hostNetwork ? 'asks-from-host' : 'asks';
      await apply(pod({ name, node: 'node2', hostNetwork, args: ['inclusterclient', '--poll-interval=1'] }));
      // It asks every second, and says so; only a failure has a line of its own.
      const log = await until(
        'a second question',
        async () => {
          const text = await cluster.kubectl('logs', name);
          return text.split('calling /healthz').length > 2 ? text : undefined;
        },
        { timeoutMs: 30_000, everyMs: 200 },
      );
      expect(log).toContain('authz_header=');
      expect(log).not.toContain('empty');
      expect(log).not.toContain('status=failed');
    },
  );

  it('runs commands in pods', async () => {
    expect(await cluster.kubectl('exec', 'web-1', '--', '/agnhost', '--version')).toContain('app version');
  });

  it('sees a node go when its cable is pulled, and come back', async () => {
    await cluster.nodeDown('node2');
    await cluster.nodeReady('node2', false);
    await cluster.nodeUp('node2');
    await cluster.nodeReady('node2');
  });

  it('sees a node go when its kubelet is killed, while its pods live on', async () => {
    await cluster.killKubelet('node1');
    await cluster.nodeReady('node1', false);
    const ip = await cluster.kubectl('get', 'pod', 'web-1', '-o', 'jsonpath={.status.podIP}');
    const reply = await cluster.run(cluster.nodes[1]?.netns ?? '', 'curl', [
      '-sS',
      `http://${ip}:8080/hostname`,
    ]);
    expect(reply.stdout).toBe('web-1');
    await cluster.startKubelet('node1');
    await cluster.nodeReady('node1');
  });
});
