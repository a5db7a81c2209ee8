import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkValues } from '../../src/domain/api/values.ts';
import { at } from '../fleet/observe.ts';
import {
  CHART,
  documents,
  helm,
  NAMESPACE,
  only,
  overlay,
  RELEASE,
  type Rendered,
  render,
} from './chart.rig.ts';

/** What the chart makes of values, by the real helm. */

/** Everything that an operator changes from day to day. */
const DAILY = {
  pools: { web: { addresses: ['192.0.2.0/24'], labels: { team: 'net' } } },
  l2Advertisements: { lan: { ipAddressPools: ['web'] } },
  bgpAdvertisements: { all: { localPref: 100 } },
  bgpPeers: { tor: { myASN: 4_200_000_000, peerASN: 64512, peerAddress: '192.0.2.1', password: 'hunter2' } },
  bfdProfiles: { fast: { receiveInterval: 50 } },
  communities: { known: { communities: [{ name: 'no-export', value: '65535:65281' }] } },
  change: { policy: 'drain' },
  source: { helmRelease: { name: 'herald', namespace: 'flux-system' }, secretNames: ['peers'] },
  sources: { namespaces: ['team-a'] },
  admission: { poolsInUse: 'Warn' },
  reconciler: { logLevel: 'debug' },
  controller: { logLevel: 'debug' },
  speaker: { logLevel: 'debug', excludeInterfaces: { interfaces: ['^lo$'] } },
};

const WORKLOADS = [
  'Deployment herald-reconciler',
  'Deployment herald-controller',
  'DaemonSet herald-speaker',
];
const title = (o: Rendered): string => `${o.kind} ${o.metadata.name}`;
const titles = (objects: readonly Rendered[]): readonly string[] => objects.map(title).sort();
function podTemplates(objects: readonly Rendered[]): Record<string, unknown> {
  const workloads = objects.filter((o) => at(o, 'spec.template') !== undefined);
  return Object.fromEntries(workloads.map((o) => [title(o), at(o, 'spec.template')]));
}
/** The container of a program. */
async function container(program: string, values: object = {}): Promise<unknown> {
  const workload = (await render(values)).find(
    (o) => title(o).endsWith(`herald-${program}`) && at(o, 'spec.template') !== undefined,
  );
  return at(workload, 'spec.template.spec.containers[0]');
}
const text = (objects: readonly Rendered[]): string => {
  const data = Object(at(only(objects, 'Secret'), 'data'));
  return Buffer.from(String(Reflect.get(data, 'values.json')), 'base64').toString();
};

describe('the chart', () => {
  it('is clean for helm lint', async () => {
    const done = await helm(['lint', '--strict', CHART]);
    expect(done.stdout + done.stderr).not.toMatch(/\[(WARNING|ERROR)\]/);
    expect(done.code).toBe(0);
  });

  it('refuses a server that is too old', async () => {
    const done = await helm(['template', RELEASE, CHART, '--kube-version=1.30.9']);
    expect(done.stderr).toContain('1.30.9');
    expect(done.code).not.toBe(0);
  });

  it('labels every object with the release and its part, and none with a version', async () => {
    for (const { kind, metadata } of await render({ ...DAILY, networkpolicies: { enabled: true } })) {
      const { 'app.kubernetes.io/component': component, ...labels } = metadata.labels ?? {};
      expect([kind, labels]).toEqual([
        kind,
        {
          'app.kubernetes.io/name': 'herald',
          'app.kubernetes.io/instance': RELEASE,
          'app.kubernetes.io/part-of': 'herald',
          'app.kubernetes.io/managed-by': 'Helm',
        },
      ]);
      expect(component).toMatch(/^(reconciler|controller|speaker|admission|network)$/);
    }
  });

  it('leaves out what is switched off, and its permissions', async () => {
    const all = titles(await render());
    const without = (part: string) => all.filter((name) => !name.includes(`herald-${part}`));
    expect(titles(await render({ controller: { enabled: false } }))).toEqual(without('controller'));
    expect(titles(await render({ speaker: { enabled: false } }))).toEqual(without('speaker'));
  });

  it('names its objects after the release, or as it is told, and its values after the release always', async () => {
    const names = async (values: object, release: string) => {
      const done = await helm(['template', release, CHART, '-n', NAMESPACE, '--kube-version=1.36.0'], {
        values,
      });
      return titles(documents(done.stdout)).filter((name) => /^(DaemonSet|Secret|ConfigSource)/.test(name));
    };
    const pair = (release: string) => [`ConfigSource ${release}`, `Secret ${release}-values`];
    const of = (release: string, daemonSet: string) =>
      [`DaemonSet ${daemonSet}-speaker`, ...pair(release)].sort();
    expect(await names({}, 'herald')).toEqual(of('herald', 'herald'));
    expect(await names({}, 'edge')).toEqual(of('edge', 'edge-herald'));
    expect(await names({ nameOverride: 'lb' }, 'edge')).toEqual(of('edge', 'edge-lb'));
    expect(await names({ fullnameOverride: 'lb' }, 'edge')).toEqual(of('edge', 'lb'));
  });

  it('makes a PodMonitor for all programs where one is wanted', async () => {
    const podMonitor = { enabled: true, additionalLabels: { release: 'prometheus' }, interval: '30s' };
    const made = only(await render({ prometheus: { podMonitor } }), 'PodMonitor');
    expect(made.metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(made.spec).toEqual({
      jobLabel: 'app.kubernetes.io/component',
      selector: {
        matchLabels: { 'app.kubernetes.io/name': 'herald', 'app.kubernetes.io/instance': RELEASE },
      },
      podMetricsEndpoints: [{ port: 'metrics', path: '/metrics', interval: '30s' }],
    });
    expect((await render()).map((o) => o.kind)).not.toContain('PodMonitor');
  });

  it('names the image by tag, by digest, and by its own version', async () => {
    const image = async (given: object) => at(await container('speaker', { image: given }), 'image');
    expect(await image({})).toBe('localhost/herald:0.1.0');
    expect(await image({ repository: 'registry.example.com/herald', tag: 'v9' })).toBe(
      'registry.example.com/herald:v9',
    );
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(await image({ tag: 'v9', digest })).toBe(`localhost/herald@${digest}`);
  });
});

describe('pods', () => {
  it('are the same whatever the daily values say', async () => {
    const before = podTemplates(await render());
    expect(Object.keys(before).sort()).toEqual([...WORKLOADS].sort());
    expect(podTemplates(await render(DAILY))).toEqual(before);
  });

  it('are the same for a new version of the chart with the same image', async () => {
    const values = { image: { tag: 'fixed' } };
    const dir = mkdtempSync(join(tmpdir(), 'herald-chart-'));
    try {
      cpSync(CHART, dir, { recursive: true });
      const file = join(dir, 'Chart.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/^(version|appVersion): .*$/gm, '$1: 9.9.9'));
      const done = await helm(['template', RELEASE, dir, '-n', NAMESPACE, '--kube-version=1.36.0'], {
        values,
      });
      expect(podTemplates(documents(done.stdout))).toEqual(podTemplates(await render(values)));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('change with what they run on, so that the comparison above can fail', async () => {
    const before = podTemplates(await render());
    for (const values of [{ image: { tag: 'other' } }, { loadBalancerClass: 'herald.io/edge' }])
      expect(podTemplates(await render(values))).not.toEqual(before);
  });

  it('mount their settings as a directory', async () => {
    for (const program of ['reconciler', 'controller', 'speaker']) {
      const mounts = at(await container(program), 'volumeMounts');
      const ring = { name: 'ring', mountPath: '/etc/ml_secret_key', readOnly: true };
      expect(mounts).toEqual([
        { name: 'settings', mountPath: '/etc/herald', readOnly: true },
        ...(program === 'speaker' ? [ring] : []),
      ]);
    }
  });

  it('of speakers find each other by a ring, whose key the controller makes, unless there is to be none', async () => {
    const volumes = async (values: object) =>
      JSON.stringify(at(only(await render(values), 'DaemonSet'), 'spec.template.spec.volumes'));
    const args = async (program: string, values: object) =>
      JSON.stringify(at(await container(program, values), 'args'));
    expect(await volumes({})).toContain('"secretName":"herald-memberlist"');
    expect(await args('controller', {})).toContain('--ml-secret-name=herald-memberlist');
    const chosen = {
      speaker: { secretName: 'shared', memberlist: { mlBindPort: 7000, mlBindAddrOverride: '::' } },
    };
    expect(await volumes(chosen)).toContain('"secretName":"shared"');
    expect(await args('speaker', chosen)).toMatch(/--ml-bindaddr=::","--ml-bindport=7000"/);
    const none = { speaker: { memberlist: { enabled: false } } };
    expect(await volumes(none)).not.toContain('ring');
    for (const program of ['speaker', 'controller'])
      expect(await args(program, none)).not.toMatch(/ml-(bind|secret)/);
    expect(JSON.stringify(only(await render(none), 'Role', 'herald-controller'))).not.toContain('secrets');
  });

  it('of the speaker have NET_RAW as their only capability, and claim their ports on the node', async () => {
    const speaker = await container('speaker');
    expect(at(speaker, 'securityContext')).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_RAW'] },
    });
    expect(at(speaker, 'ports')).toEqual([
      { name: 'metrics', containerPort: 9130, hostPort: 9130 },
      { name: 'health', containerPort: 17482, hostPort: 17482, hostIP: '127.0.0.1' },
      { name: 'ring-tcp', containerPort: 7946, hostPort: 7946 },
      { name: 'ring-udp', containerPort: 7946, hostPort: 7946, protocol: 'UDP' },
    ]);
  });

  it("take upstream's probe settings, but for the port", async () => {
    const livenessProbe = { enabled: true, port: 17472, failureThreshold: 9, periodSeconds: 7 };
    const values = { controller: { livenessProbe, readinessProbe: { enabled: false } } };
    const controller = await container('controller', values);
    expect(at(controller, 'livenessProbe')).toEqual({
      httpGet: { path: '/healthz', port: 17482 },
      initialDelaySeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 9,
      periodSeconds: 7,
    });
    expect(at(controller, 'readinessProbe')).toBeUndefined();
  });

  it('run where the values say', async () => {
    const where = {
      nodeSelector: { role: 'infra' },
      tolerations: [{ key: 'infra', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
    };
    const templates = podTemplates(await render({ reconciler: where, controller: where, speaker: where }));
    for (const name of WORKLOADS) {
      const spec = at(templates[name], 'spec');
      expect([name, spec]).toEqual([
        name,
        expect.objectContaining({ ...where, tolerations: expect.anything() }),
      ]);
      expect(at(spec, 'tolerations')).toEqual(expect.arrayContaining(where.tolerations));
    }
    // The control plane's taints stay tolerated unless that is switched off.
    const tolerations = async (values: object) =>
      at(podTemplates(await render({ speaker: values }))['DaemonSet herald-speaker'], 'spec.tolerations');
    expect(await tolerations({ tolerateMaster: false, tolerations: where.tolerations })).toEqual(
      where.tolerations,
    );
    expect(JSON.stringify(await tolerations({}))).toContain('node-role.kubernetes.io/control-plane');
  });

  it('pass on the class and the arguments that the values add', async () => {
    const values = {
      loadBalancerClass: 'a.example/b',
      speaker: { ignoreExcludeLB: true, args: ['--api-qps=9'] },
    };
    expect(at(await container('speaker', values), 'args')).toEqual([
      '/app/speaker.js',
      '--namespace=$(NAMESPACE)',
      '--pod-name=$(POD_NAME)',
      '--port=9130',
      '--health-probe-port=17482',
      '--config-dir=/etc/herald',
      '--node-name=$(NODE_NAME)',
      '--ml-labels=app.kubernetes.io/name=herald,app.kubernetes.io/instance=herald,app.kubernetes.io/component=speaker',
      '--ml-bindaddr=$(POD_IP)',
      '--ml-bindport=7946',
      '--ml-secret-key-path=/etc/ml_secret_key',
      '--lb-class=a.example/b',
      '--ignore-exclude-lb',
      '--api-qps=9',
    ]);
    expect(at(await container('controller', values), 'args')).toContain('--lb-class=a.example/b');
  });
});

describe('live settings', () => {
  const settings = async (values: object) =>
    at(only(await render(values), 'ConfigMap', 'herald-speaker'), 'data');

  it('hold the log level and what is done in conflicts and at cordons, and nothing about interfaces by default', async () => {
    expect(await settings({})).toEqual({ logLevel: 'info', onConflict: 'defend', onCordon: 'auto' });
  });

  it('hold the interfaces of the values, or none', async () => {
    const exclude = (given: object) => settings({ speaker: { excludeInterfaces: given } });
    const file = 'excludel2.yaml';
    expect(Reflect.get(Object(await exclude({ interfaces: ['^lo$', '^a"b.*'] })), file)).toBe(
      `announcedInterfacesToExclude:\n  - ^lo$\n  - ^a"b.*\n`,
    );
    expect(Reflect.get(Object(await exclude({ enabled: false })), file)).toBe(
      'announcedInterfacesToExclude: []\n',
    );
  });
});

describe('the applied values', () => {
  it('are canonical JSON with a digest of that text', async () => {
    const objects = await render(DAILY);
    const json = text(objects);
    const digest = createHash('sha256').update(json).digest('hex');
    expect(at(only(objects, 'ConfigSource'), 'spec')).toEqual({
      secretName: 'herald-values',
      digest: `sha256:${digest}`,
      helmRelease: { name: 'herald', namespace: 'flux-system' },
    });
    expect(JSON.parse(json)).toMatchObject(DAILY);
    expect(text(await render(Object.fromEntries(Object.entries(DAILY).reverse())))).toBe(json);
  });

  it('hold large numbers whole, and every character', async () => {
    const annotations = { odd: `<a href="x">'&\n\t ü 日本` };
    const pools = { web: { addresses: ['192.0.2.0/24'], annotations } };
    const bgpPeers = { tor: { myASN: 4_294_967_295, peerASN: 4_200_000_000, peerAddress: '192.0.2.1' } };
    const json = text(await render({ pools, bgpPeers }));
    expect(json).toContain('"myASN":4294967295,"peerASN":4200000000');
    expect(JSON.parse(json)).toMatchObject({ pools, bgpPeers });
  });

  it.each(['l2-lab', 'bgp-edge'])('of overlay %s are what the reconciler takes', async (name) => {
    const values = overlay(name);
    const checked = checkValues(JSON.parse(text(await render(values))));
    expect(checked).toMatchObject({ values, warnings: [] });
  });

  it('of the chart alone are known to the reconciler, without a warning', async () => {
    const checked = checkValues(JSON.parse(text(await render())));
    expect(checked).toMatchObject({ warnings: [] });
  });
});

describe('the values schema', () => {
  // [values, what helm says]
  it.each<[object, string]>([
    [{ pool: {} }, 'pool'],
    [{ pools: { web: { addreses: ['192.0.2.0/24'] } } }, 'addreses'],
    [{ pools: { web: { addresses: '192.0.2.0/24' } } }, '/pools/web/addresses'],
    [{ pools: { Web: { addresses: [] } } }, 'Web'],
    [{ admission: { poolsInUse: 'deny' } }, '/admission/poolsInUse'],
    [{ speaker: { logLevel: 'loud' } }, '/speaker/logLevel'],
    [{ controller: { replicas: 'two' } }, '/controller/replicas'],
    [{ source: { helmRelease: { name: 'herald' } } }, 'namespace'],
  ])('refuses %j', async (values, said) => {
    const done = await helm(['template', RELEASE, CHART], { values });
    expect(done.code).not.toBe(0);
    expect(done.stderr).toContain(said);
  });

  it.each<[string, object]>([
    ['null in place of an entry', { pools: { web: null } }],
    ["another product's keys", { metallb_ip_range: ['192.0.2.0/24'], configInline: {} }],
    [
      "upstream's keys for its workloads",
      { controller: { image: { repository: 'quay.example/metallb/controller' } } },
    ],
  ])('takes %s', async (_, values) => {
    expect(titles(await render(values))).toEqual(titles(await render()));
  });
});
