import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { at } from '../fleet/observe.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { accountConfig, install, NAMESPACE, only, render, startProgram } from './chart.rig.ts';
import { client } from './kube.rig.ts';

/** What each program's account may do on a real API server: all that the program asks for, and nothing else that is worth having. */

const PASSWORDS = {
  bgpPeers: {
    tor: { myASN: 64512, peerASN: 64501, peerAddress: '192.0.2.1', password: 'hunter2' },
    open: { myASN: 64512, peerASN: 64501, peerAddress: '192.0.2.2' },
  },
};
const EVERYTHING = {
  ...PASSWORDS,
  sources: { namespaces: ['team-a'] },
  source: { helmRelease: { name: 'delivery', namespace: 'flux-system' }, secretNames: ['peers'] },
};

let api: ApiServer;
let admin: KubeClient;

beforeAll(async () => {
  api = await startApiServer();
  for (const name of ['team-a', 'flux-system']) await api.kubectl('create', 'namespace', name);
  await install(api);
  admin = await client(api.kubeconfig);
});
afterAll(async () => {
  await admin?.close();
  await api?.stop();
});

/** `verbs resource[/subresource][:name] [@namespace]`; the group stands after a dot; @* is the whole cluster. */
type Right = string;

async function may(account: string, right: Right): Promise<readonly string[]> {
  const [verbs = '', what = '', where = `@${NAMESPACE}`] = right.split(' ');
  const [full = '', name] = what.split(':');
  const [path = '', ...group] = full.split('.');
  const [resource, subresource] = path.split('/');
  const namespace = where === '@*' ? {} : { namespace: where.slice(1) };
  const asked = {
    group: group.join('.'),
    resource,
    ...namespace,
    ...(name && { name }),
    ...(subresource && { subresource }),
  };
  const user = `system:serviceaccount:${NAMESPACE}:herald-${account}`;
  const allowed: string[] = [];
  for (const verb of verbs.split(',')) {
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, resourceAttributes: { verb, ...asked } },
    };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    if (at(await admin.request({ method: 'POST', path, body }), 'status.allowed') === true)
      allowed.push(verb);
  }
  return allowed;
}

const WRITTEN = [
  'ipaddresspools',
  'l2advertisements',
  'bgpadvertisements',
  'bgppeers',
  'bfdprofiles',
  'communities',
];
const CHANGES = 'create,update,patch,delete,deletecollection';

/** Rights that every installation needs. */
const NEEDED: Readonly<Record<string, readonly Right[]>> = {
  reconciler: [
    'get customresourcedefinitions.apiextensions.k8s.io:bgppeers.metallb.io @*',
    'list,watch services @*',
    'list,watch namespaces @*',
    'list,watch nodes @*',
    ...WRITTEN.map((kind) => `list,watch,create,patch,delete ${kind}.metallb.io`),
    'list,watch,create,patch,delete configsources.herald.io',
    'list,watch,create,patch,delete reservations.herald.io',
    'list,watch,create,patch,delete addressquotas.herald.io',
    'patch configsources/status.herald.io:herald',
    'list,watch,create,patch plans.herald.io',
    'patch plans/status.herald.io:herald',
    'get,list,watch configmaps',
    'list,watch,delete secrets',
    'list,watch deployments.apps',
    'list,watch daemonsets.apps',
    'list,watch addresspools.metallb.io',
    'list,watch metallbs.metallb.io',
    'list,watch helmreleases.helm.toolkit.fluxcd.io:herald',
    'create leases.coordination.k8s.io',
    'get,update,watch leases.coordination.k8s.io:herald-reconciler',
    'create,patch events',
  ],
  controller: [
    'list,watch services @*',
    'list,watch namespaces @*',
    'patch services/status @*',
    'create,patch events @*',
    'list,watch ipaddresspools.metallb.io',
    'list,watch communities.metallb.io',
    'patch ipaddresspools/status.metallb.io',
    'list,watch reservations.herald.io',
    'patch reservations/status.herald.io',
    'list,watch addressquotas.herald.io',
    'patch addressquotas/status.herald.io',
    'list,watch addressprobes.herald.io',
    'patch addressprobes/status.herald.io',
    'list,watch,create,patch configurationstates.metallb.io',
    'patch configurationstates/status.metallb.io',
    'get pods',
    'create leases.coordination.k8s.io',
    'get,update,watch leases.coordination.k8s.io:herald-controller',
    'create secrets',
    'get secrets:herald-memberlist',
    'get deployments.apps:herald-controller',
  ],
  speaker: [
    'list,watch services @*',
    'list,watch nodes @*',
    'list,watch endpointslices.discovery.k8s.io @*',
    'create,patch events @*',
    'list,watch ipaddresspools.metallb.io',
    'list,watch l2advertisements.metallb.io',
    'list,watch communities.metallb.io',
    'list,watch,create,delete servicel2statuses.metallb.io',
    'patch servicel2statuses/status.metallb.io',
    'list,watch,create,patch configurationstates.metallb.io',
    'patch configurationstates/status.metallb.io',
    'list,watch addressprobes.herald.io',
    'patch addressprobes/status.herald.io',
    'get,list,watch pods',
  ],
};

/** What would make an account worth stealing, or what only looks needed. */
const REFUSED: Readonly<Record<string, readonly Right[]>> = {
  reconciler: [
    'get,create,update,patch secrets',
    'get,list,watch secrets @team-a',
    'get,list,watch secrets @*',
    'get,list,watch configmaps @team-a',
    'list,watch helmreleases.helm.toolkit.fluxcd.io:other',
    'list,watch helmreleases.helm.toolkit.fluxcd.io @flux-system',
    `${CHANGES} helmreleases.helm.toolkit.fluxcd.io`,
    `${CHANGES} configmaps`,
    `${CHANGES} deployments.apps`,
    `${CHANGES} daemonsets.apps`,
    `${CHANGES} addresspools.metallb.io`,
    `${CHANGES} metallbs.metallb.io`,
    `${CHANGES} services @*`,
    `${CHANGES} nodes @*`,
    `${CHANGES} namespaces @*`,
    'patch,update services/status @*',
    'list,watch pods @*',
    'get,update leases.coordination.k8s.io:herald-controller',
    'create,patch events @team-a',
    'list ipaddresspools.metallb.io @team-a',
    `${CHANGES} customresourcedefinitions.apiextensions.k8s.io @*`,
    'create pods/exec',
    'create roles.rbac.authorization.k8s.io',
  ],
  controller: [
    'get,list,watch,update,patch,delete secrets',
    'list,watch,update,patch,delete secrets:herald-memberlist',
    'get secrets:herald-values',
    'get,list,watch deployments.apps:herald-speaker',
    'get,list,watch configmaps',
    `${CHANGES} services @*`,
    'update services/status @*',
    `${CHANGES} ipaddresspools.metallb.io`,
    `${CHANGES} namespaces @*`,
    'get,update leases.coordination.k8s.io:herald-reconciler',
    'delete configurationstates.metallb.io',
    `${CHANGES} reservations.herald.io`,
    'create,delete addressprobes.herald.io',
    'list,watch configsources.herald.io',
    `${CHANGES},list pods`,
  ],
  speaker: [
    'get,list,watch secrets',
    'get,list,watch configmaps',
    `${CHANGES} services @*`,
    'patch,update services/status @*',
    `${CHANGES} nodes @*`,
    'patch,update nodes/status @*',
    `${CHANGES} ipaddresspools.metallb.io`,
    `${CHANGES} l2advertisements.metallb.io`,
    'get,create,update leases.coordination.k8s.io',
    'list,watch pods @team-a',
    `${CHANGES} pods`,
    `${CHANGES} addressprobes.herald.io`,
    'list,watch configsources.herald.io',
  ],
};

const rows = (table: Readonly<Record<string, readonly Right[]>>): [string, Right][] =>
  Object.entries(table).flatMap(([account, rights]) =>
    rights.map((right): [string, Right] => [account, right]),
  );

describe('by default', () => {
  it.each(rows(NEEDED))('the %s may %s', async (account, right) => {
    expect((await may(account, right)).join()).toBe(right.split(' ')[0]);
  });

  it.each(rows(REFUSED))('the %s may not %s', async (account, right) => {
    expect(await may(account, right)).toEqual([]);
  });

  it('no rule has a wildcard, or lets one gain rights', async () => {
    const roles = (await render(EVERYTHING)).filter(({ kind }) => /^(Cluster)?Role$/.test(kind));
    expect(roles.length).toBeGreaterThan(4);
    expect(JSON.stringify(roles)).not.toMatch(
      /"\*"|escalate|impersonate|"bind"|nodes\/proxy|serviceaccounts/,
    );
  });
});

describe('by values', () => {
  const GIVEN: readonly Right[] = [
    'create secrets',
    'patch secrets:herald-peer-tor',
    'get secrets:peers @flux-system',
    'get configmaps @flux-system',
    'list,watch configmaps @team-a',
    'list,watch helmreleases.helm.toolkit.fluxcd.io:delivery @flux-system',
    'create,patch events @flux-system',
  ];
  const OWN: readonly Right[] = [
    'get secrets:peers',
    'list,watch helmreleases.helm.toolkit.fluxcd.io:delivery',
  ];

  it('the reconciler may read what they name, and only then', async () => {
    for (const right of [...GIVEN, ...OWN])
      expect([right, await may('reconciler', right)]).toEqual([right, []]);
    const here = { ...EVERYTHING.source, helmRelease: { name: 'delivery', namespace: NAMESPACE } };
    for (const [values, rights] of [
      [{ source: here }, OWN],
      [EVERYTHING, GIVEN],
    ] as const) {
      await install(api, values);
      // The API server learns of roles by a watch of its own.
      for (const right of rights)
        await until(right, async () => (await may('reconciler', right)).join() === right.split(' ')[0]);
    }
  });

  it('the controller may ask about addresses where it is to do so', async () => {
    const right = 'create,delete addressprobes.herald.io';
    expect(await may('controller', right)).toEqual([]);
    await install(api, { controller: { probeBeforeUse: true } });
    await until(right, async () => (await may('controller', right)).join() === 'create,delete');
  });

  it("the reconciler may change the workloads with the operator's kinds, and only them", async () => {
    const rights = [
      'patch deployments.apps:herald-controller',
      'patch daemonsets.apps:herald-speaker',
      'patch configmaps:herald-controller',
      'patch configmaps:herald-speaker',
    ];
    for (const right of rights) expect([right, await may('reconciler', right)]).toEqual([right, []]);
    await install(api, { crds: { operatorKinds: true } });
    for (const right of rights)
      await until(right, async () => (await may('reconciler', right)).join() === 'patch');
    for (const right of [
      `${CHANGES} deployments.apps`,
      `${CHANGES} deployments.apps:herald-reconciler`,
      `${CHANGES} daemonsets.apps:other`,
      `${CHANGES} configmaps:herald-reconciler`,
      `${CHANGES} metallbs.metallb.io`,
    ])
      expect([right, await may('reconciler', right)]).toEqual([right, []]);
    await install(api);
    for (const right of rights) await until(right, async () => (await may('reconciler', right)).length === 0);
  });

  it('the reconciler never may more than that', async () => {
    await install(api, EVERYTHING);
    await until('the role', async () => (await may('reconciler', 'create secrets')).length === 1);
    for (const right of [
      'patch,update secrets',
      'patch,update secrets:sh.helm.release.v1.herald.v1',
      'patch,update secrets:herald-peer-open',
      'get secrets:herald-values',
      'get,list secrets:other @flux-system',
      'list secrets @flux-system',
      `list,watch,${CHANGES} configmaps @flux-system`,
      `get,${CHANGES} configmaps @team-a`,
      `${CHANGES} helmreleases.helm.toolkit.fluxcd.io:delivery @flux-system`,
    ])
      expect([right, await may('reconciler', right)]).toEqual([right, []]);
  });
});

describe('under their own accounts, with their arguments', () => {
  const get = async (path: string): Promise<unknown> => JSON.parse((await api.get(path)).body);
  const own = `/namespaces/${NAMESPACE}`;
  const pools = async () => {
    const items = at(await get(`/apis/metallb.io/v1beta1${own}/ipaddresspools`), 'items');
    return Array.isArray(items) ? items.map((pool: unknown) => at(pool, 'metadata.name')) : [];
  };
  /** As the chart says, but for the Pod that this is not, and for ports. */
  async function start(program: 'reconciler' | 'controller') {
    const container = at(
      only(await render(), 'Deployment', `herald-${program}`),
      'spec.template.spec.containers[0]',
    );
    const given = at(container, 'args');
    const args = (Array.isArray(given) ? given : [])
      .slice(1)
      .map((arg: unknown) =>
        String(arg).replace('$(NAMESPACE)', NAMESPACE).replace('$(POD_NAME)', `herald-${program}-0`),
      );
    const kubeconfig = await accountConfig(api, `herald-${program}`);
    return startProgram(program, {
      kubeconfig,
      args: [...args, '--port=0', '--health-probe-port=0', '--log-level=debug'],
    });
  }
  const ready = (reason: string) => async () => {
    const conditions = at(
      await get(`/apis/herald.io/v1alpha1${own}/configsources/herald`),
      'status.conditions',
    );
    const found = Array.isArray(conditions)
      ? conditions.find((c: unknown) => at(c, 'type') === 'Ready')
      : undefined;
    return at(found, 'status') === 'True' && at(found, 'reason') === reason;
  };

  it('reconciler and controller do their work: pools, an address, a password, and what is taken away again', async () => {
    await install(api, {
      ...PASSWORDS,
      pools: { web: { addresses: ['192.0.2.0/24'] }, old: { addresses: ['198.51.100.0/24'] } },
      reservations: { home: { namespace: 'default', service: 'web' } },
      quotas: { all: { addresses: 9 } },
    });
    const programs = [await start('reconciler'), await start('controller')];
    try {
      await until('both pools', async () => (await pools()).length === 2);
      await until(
        'the password',
        async () => (await api.get(`/api/v1${own}/secrets/herald-peer-tor`)).status === 200,
      );
      await until('the ConfigSource', ready('Applied'));
      await api.kubectl('create', 'service', 'loadbalancer', 'web', '--tcp=80');
      const address = async () =>
        at(await get('/api/v1/namespaces/default/services/web'), 'status.loadBalancer.ingress[0].ip');
      expect(await until('an address', async () => (await address()) ?? false)).toMatch(
        /^(192\.0\.2|198\.51\.100)\.\d+$/,
      );
      const home = () => get(`/apis/herald.io/v1alpha1${own}/reservations/home`);
      const reserved = async () => at(await home(), 'status.addresses[0]');
      const given = await address();
      const quota = () => get(`/apis/herald.io/v1alpha1${own}/addressquotas/all`);
      await until('the quota to count', async () => at(await quota(), 'status.used') === 1);
      await until('the address to be reserved', async () => (await reserved()) === given);
      const kept = String(await address()).startsWith('192') ? 'web' : 'old';
      const range = kept === 'web' ? '192.0.2.0/24' : '198.51.100.0/24';

      await install(api, { pools: { [kept]: { addresses: [range] } } });
      await until('the other pool to go', async () => (await pools()).join() === kept);
      await until(
        'the password to go',
        async () => (await api.get(`/api/v1${own}/secrets/herald-peer-tor`)).status === 404,
      );
      await until('the ConfigSource', ready('Applied'));
      const state = () => get(`/apis/metallb.io/v1beta1${own}/configurationstates/controller`);
      await until('the ConfigurationState', async () => at(await state(), 'status.result') === 'Valid');
      const events = async () => JSON.stringify(await get('/api/v1/namespaces/default/events'));
      await until('an Event', async () => (await events()).includes('herald-controller'));
    } finally {
      for (const program of programs) await program.stop();
    }
    for (const { log } of programs) {
      expect(log.length).toBeGreaterThan(3);
      // HelmReleases are no kind of this server; nothing that is one may be forbidden.
      expect(log.filter((line) => /forbidden/i.test(line))).toEqual([]);
    }
  }, 180_000);
});
