// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Flux's variables, as they stand in git.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conditions, message, type Running } from '../api/reconciler.rig.ts';
import { at, condition } from '../fleet/observe.ts';
import { available } from '../servers/index.ts';
import { refusal, releaseOf, type Site, SiteLab, UNWAITED, watched } from './site.rig.ts';

/** Which values are in force, however Flux came by them and whatever became of its release. */

const can = available('flux');
const web = (...addresses: string[]) => ({ web: { addresses } });
/** A workload that does not come up, so that the upgrade fails when its time is over; and one that the API server refuses. */
const HANGS = { controller: { replicas: 1 } };
const BROKEN = { controller: { replicas: -1 } };
/** Whether the newest release that helm-controller made is in this state. */
const newest = (status: string) => (o: unknown) => at(o, 'status.history[0].status') === status;
/** Waits until the ConfigSource is Ready, and has nothing to tell about values that Helm did not apply. */
const inSync = (site: Site) =>
  site.home.eventually('Helm to have applied what is asked for', async () => {
    const source = await site.home.source();
    return source && conditions(source).Ready === 'True Applied' && !('InSync' in conditions(source));
  });

describe.skipIf(can !== true)(`values in force behind real Flux${can === true ? '' : ` (${can})`}`, () => {
  let lab: SiteLab;
  beforeAll(async () => {
    lab = await SiteLab.start();
  });
  afterAll(() => lab?.stop());

  describe('after a failed upgrade', () => {
    let site: Site;
    beforeAll(async () => {
      site = await lab.site('upgrades');
      await site.run({ timing: { aheadMs: 100 } });
      await site.values({ pools: web('192.0.2.0/28') }, UNWAITED);
      await site.ready();
    });

    it.each<[string, object, string]>([
      [
        'that is tried again later',
        { strategy: { name: 'RetryOnFailure', retryInterval: '1h' } },
        '192.0.2.0/27',
      ],
      ['that nothing remedies', { remediation: { retries: 0 } }, '192.0.2.0/26'],
    ])('%s are those of the applied manifest', async (_, upgrade, range) => {
      await site.values({ pools: web(range), ...HANGS }, { timeout: '2s', upgrade });
      await site.pool('web', range);
      await site.release('a failed upgrade', newest('failed'));
      await site.ready('False');
      await site.pool('web', range);
      await inSync(site);
    });

    it('that is rolled back are the previous ones, and what Helm does not apply is told', async () => {
      await site.values({ pools: web('192.0.2.0/28') }, UNWAITED);
      await site.ready();
      const remediation = { retries: 0, strategy: 'rollback', remediateLastFailure: true };
      const upgrade = { strategy: { name: 'RemediateOnFailure' }, remediation };
      const spec = { timeout: '2s', upgrade, rollback: { timeout: '20s' } };
      await site.values({ pools: web('192.0.2.0/25'), ...HANGS }, spec);
      await site.pool('web', '192.0.2.0/25');
      const release = await site.release(
        'a roll-back',
        (o) => condition(o, 'Remediated')?.reason === 'RollbackSucceeded',
      );
      expect(condition(release, 'Ready')?.status).toBe('False');
      await site.pool('web', '192.0.2.0/28');
      await site.home.told('Applied', { status: 'True' });
      await site.home.told('ValuesNotApplied', { type: 'InSync', status: 'False' });
    });

    it('that applied half a manifest stay what they were', async () => {
      const before = await site.pools();
      const upgrade = { strategy: { name: 'RetryOnFailure', retryInterval: '1h' } };
      await site.values({ pools: web('192.0.2.128/25'), ...BROKEN }, { upgrade });
      await site.ready('False');
      await site.home.told('WaitingForValues');
      expect(await site.pools()).toEqual(before);
      await site.values({ pools: web('192.0.2.0/24') });
      await site.pool('web', '192.0.2.0/24');
    });
  });

  describe('from ConfigMaps and Secrets', () => {
    const PASSWORD = 'correct-horse-battery';
    const peer = (password: string) =>
      JSON.stringify({
        bgpPeers: { tor: { myASN: 64512, peerASN: 4200000000, peerAddress: '198.51.100.1', password } },
      });
    const base = (range: string) => watched('ConfigMap', 'base', `pools: {web: {addresses: [${range}]}}`);
    const EXTRA = watched('ConfigMap', 'extra', 'pools: {extra: {addresses: [198.51.100.128/28]}}');
    let site: Site;
    let running: Running;

    beforeAll(async () => {
      site = await lab.site('references');
      running = await site.run({ timing: { aheadMs: 100 } });
      await site.apply({
        'base.yaml': base('198.51.100.0/28'),
        'peers.yaml': watched('Secret', 'peers', peer(PASSWORD)),
        'release.yaml': releaseOf(site.name, {
          ...UNWAITED,
          values: { source: { secretNames: ['peers'] } },
          valuesFrom: [
            { kind: 'ConfigMap', name: 'base' },
            { kind: 'Secret', name: 'peers' },
            { kind: 'ConfigMap', name: 'extra', optional: true },
          ],
        }),
      });
      await site.ready();
    });
    /** The password that speakers will use. */
    const password = async () => {
      const [tor] = await site.home.list('metallb.io/bgppeers');
      const name = String(at(tor, 'spec.passwordSecret.name'));
      const secret = await site.home.get('secrets', name);
      return Buffer.from(secret?.data?.password ?? '', 'base64').toString();
    };

    it('are put together, without those that are optional and missing', async () => {
      await site.pool('web', '198.51.100.0/28');
      expect(await password()).toBe(PASSWORD);
      expect(await site.home.pool('extra')).toBeUndefined();
      await site.home.eventually('a look at the HelmRelease', async () =>
        running.lines.some((l) => l.includes('HelmRelease looked at') && l.includes('inSync')),
      );
    });

    it('follow a watched ConfigMap and a watched Secret, without a change of the HelmRelease', async () => {
      const before = await site.release('what it is', () => true);
      await site.apply({
        'base.yaml': base('198.51.100.0/27'),
        'peers.yaml': watched('Secret', 'peers', peer(`${PASSWORD}-2`)),
      });
      await site.pool('web', '198.51.100.0/27');
      await site.home.eventually('the new password', async () => (await password()) === `${PASSWORD}-2`);
      const after = await site.release('deployed', newest('deployed'));
      expect(at(after, 'metadata.generation')).toBe(at(before, 'metadata.generation'));
    });

    it('show no password: not in the log, the status, the Plan, the Events, nor in what is rendered', async () => {
      const kinds = [
        ...['configsources', 'plans'].map((plural) => `herald.io/${plural}`),
        ...['bgppeers', 'ipaddresspools'].map((plural) => `metallb.io/${plural}`),
        'events',
      ];
      const objects = await Promise.all(kinds.map((kind) => site.home.list(kind)));
      const release = await site.release('what it is', () => true);
      const text = JSON.stringify([objects, release, running.lines, await running.metrics.text()]);
      expect(objects.map((list) => list.length)).not.toContain(0);
      expect(text).not.toContain(PASSWORD);
    });

    it('take an optional one when it comes, hold what it takes along when it is gone, and take it back', async () => {
      await site.apply({ 'extra.yaml': EXTRA });
      await site.pool('extra', '198.51.100.128/28');
      await site.home.service('guest', ['198.51.100.129']);
      const before = await site.pools();
      await site.apply({ 'extra.yaml': null });
      const held = await site.home.told('HeldInUse');
      expect(message(held)).toContain('references/guest');
      await site.apply({ 'extra.yaml': EXTRA });
      await site.home.told('Applied', { status: 'True' });
      expect(await site.pools()).toEqual(before);
      await site.home.leave('guest');
    });

    it('stay what they are while one that is needed is missing, which is told', async () => {
      const before = await site.pools();
      await site.apply({ 'base.yaml': null });
      await site.release(
        'a missing reference',
        (o) => condition(o, 'Ready')?.reason === 'ValuesError' && condition(o, 'Ready')?.status === 'False',
      );
      const source = await site.home.told('ValuesNotApplied', { type: 'InSync', status: 'False' });
      const said = source.status?.conditions?.find((c) => c.type === 'InSync')?.message;
      expect(said).toContain('ConfigMap base');
      expect(conditions(source).Ready).toBe('True Applied');
      expect(await site.pools()).toEqual(before);
      await site.apply({ 'base.yaml': base('198.51.100.0/27') });
      await site.release('ready again', (o) => condition(o, 'Ready')?.status === 'True');
      await inSync(site);
    });
  });

  describe('with variables of the Kustomization', () => {
    const cluster = (range: string) =>
      lab.api.kubectlInput(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'cluster', namespace: 'flux-system' },
          data: { RANGE: range },
        }),
        'apply',
        '-f',
        '-',
      );
    let site: Site;
    beforeAll(async () => {
      await cluster('10.7.0.0/24');
      const postBuild = {
        substitute: { MORE: '10.7.1.0/24' },
        substituteFrom: [{ kind: 'ConfigMap', name: 'cluster' }],
      };
      site = await lab.site('variables', { postBuild });
      await site.run();
      await site.values({ pools: web('${RANGE}', '${MORE}', '${NONE:=10.7.2.0/24}') }, UNWAITED);
    });

    it('become pools, and follow a change of a variable', async () => {
      await site.pool('web', '10.7.0.0/24', '10.7.1.0/24', '10.7.2.0/24');
      await cluster('10.7.0.0/25');
      await lab.flux.reconcile('kustomization/variables');
      await site.pool('web', '10.7.0.0/25', '10.7.1.0/24', '10.7.2.0/24');
    });

    it('do not reach the cluster where a variable is unknown', async () => {
      const before = await site.pools();
      const id = await site.commit({
        'release.yaml': releaseOf(site.name, { values: { pools: web('${UNKNOWN}') } }),
      });
      const where = { namespace: 'flux-system', name: site.name };
      const refused = await lab.see('kustomization', where, {
        what: 'refused',
        until: (o) => refusal(o, id) !== undefined,
      });
      expect(refusal(refused, id)).toContain('UNKNOWN');
      expect(await site.pools()).toEqual(before);
    });
  });

  describe('of a release with another name', () => {
    let site: Site;
    let running: Running;
    const values = { pools: web('203.0.113.0/24') };
    beforeAll(async () => {
      site = await lab.site('renames');
      running = await site.run();
      await site.values(values, UNWAITED);
      await site.ready();
      await site.home.service('shop', ['203.0.113.7']);
    });

    it('take no address away where the HelmRelease is renamed', async () => {
      const before = await site.pools();
      await site.apply({ 'release.yaml': releaseOf(site.name, { values, ...UNWAITED }, 'edge') });
      await site.home.eventually('the old HelmRelease to go', async () => {
        const all = await site.home.kube.request({
          method: 'GET',
          path: `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${site.name}/helmreleases`,
        });
        return at(all, 'items.length') === 1;
      });
      // The old one's uninstallation may have taken the release that both name; the next look installs it again.
      await lab.flux.reconcile('helmrelease/edge', site.name);
      await site.ready('True', 'edge');
      await site.home.told('Applied', { status: 'True' });
      expect(await site.pools()).toEqual(before);
    });

    it('take no address away where Helm knows it by another name, and make its pools theirs', async () => {
      const before = await site.pools();
      await site.apply({
        'release.yaml': releaseOf(site.name, { values, ...UNWAITED, releaseName: 'lb' }, 'edge'),
      });
      // The chart brings another reconciler, which knows the new name.
      await running.stop();
      await site.run({ release: 'lb' });
      await site.home.told('Applied', { name: 'lb', status: 'True' });
      expect(await site.home.source()).toBeUndefined();
      expect(await site.pools()).toEqual(before);
      expect((await site.home.pool('web'))?.metadata.labels).toMatchObject({ 'herald.io/instance': 'lb' });
    });
  });
});
