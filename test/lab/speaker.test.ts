import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMac } from '../../src/domain/ip/mac.ts';
import { encode } from '../../src/protocols/arp/codec.ts';
import { exec, until } from '../servers/index.ts';
import type { Report } from './client.ts';
import { EXCLUDE, type Lab, labAvailable, number, type RunningSpeaker, startLab } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`speaker lab skipped: ${able}`);

const WEB = '192.0.2.7';
const CAP_NET_RAW = 1n << 13n;

describe.skipIf(able !== true)('a speaker on real links', () => {
  let lab: Lab;
  let client: Host;
  let one: Host;
  let two: Host;
  let first: RunningSpeaker;
  let second: RunningSpeaker;
  let macs: Record<'one' | 'two' | 'client', string>;

  beforeAll(async () => {
    lab = await startLab();
    const { network, objects } = lab;
    [client, one, two] = await Promise.all([
      network.client('c'),
      network.node('node-a'),
      network.node('node-b'),
    ]);
    macs = {
      one: await macOf(one, 'lan0'),
      two: await macOf(two, 'lan0'),
      client: await macOf(client, 'eth0'),
    };
    await objects.node('node-a');
    await objects.node('node-b', { labels: { edge: 'yes' } });
    await objects.speakerPod('node-a');
    await objects.pool('web', '192.0.2.0/28');
    await objects.advertisement('web');
    // Of both nodes, node-a is the first for this address.
    await objects.service('shop', [WEB], { endpoints: ['node-a', 'node-b'] });
    first = await lab.speaker(one);
  });
  afterAll(async () => {
    await lab?.close();
  });

  const arping = async (ip: string, count = 2): Promise<string[]> => {
    const [command, ...args] = client.enter([
      'arping',
      '-r',
      '-c',
      `${count}`,
      '-w',
      '0.2',
      '-W',
      '0.05',
      '-i',
      'eth0',
      ip,
    ]);
    return (await exec(command, args)).stdout.split('\n').filter(Boolean);
  };
  const answeredBy = async (ip: string, mac: string) => {
    await until(`${ip} at ${mac}`, async () => (await arping(ip)).includes(mac), { timeoutMs: 10_000 });
  };
  const silent = async (ip: string) => {
    await until(`${ip} silent`, async () => (await arping(ip)).length === 0, { timeoutMs: 10_000 });
    expect(await arping(ip, 5)).toEqual([]);
  };
  /** Questions without any answer, and who answered how often. */
  const summary = ({ questions }: Report) => {
    const owners: Record<string, number> = {};
    for (const { answers } of questions) for (const { mac } of answers) owners[mac] = (owners[mac] ?? 0) + 1;
    return { lost: questions.filter(({ answers }) => answers.length === 0).length, owners };
  };
  const ask = (change: { to?: string; target?: string; operation?: number }) => {
    const mac = (text: string) => parseMac(text) ?? new Uint8Array(6);
    const frame = encode({
      destination: mac(change.to ?? 'ff:ff:ff:ff:ff:ff'),
      source: mac(macs.client),
      operation: change.operation ?? 1,
      senderMac: mac(macs.client),
      senderIp: number('192.0.2.254'),
      targetMac: new Uint8Array(6),
      targetIp: number(change.target ?? WEB),
    });
    return lab.send(client, [Buffer.from(frame).toString('hex')], 300);
  };

  it('has CAP_NET_RAW and no other capability', () => {
    const status = readFileSync(`/proc/${first.daemon.pid}/status`, 'utf8');
    expect(BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1]}`)).toBe(CAP_NET_RAW);
  });

  it('answers a real arping with the MAC of the interface', async () => {
    expect(await arping(WEB, 3)).toEqual([macs.one, macs.one, macs.one]);
  });

  it('puts its answer into the neighbour table of the client', async () => {
    await client.exec('ip', 'neigh', 'flush', 'dev', 'eth0');
    // Any packet makes the kernel ask.
    await client.exec('bash', '-c', `echo > /dev/udp/${WEB}/9`);
    await until('REACHABLE', async () =>
      (await client.exec('ip', 'neigh', 'show', WEB)).includes('REACHABLE'),
    );
    expect(await client.exec('ip', 'neigh', 'show', WEB)).toContain(macs.one);
  });

  it('is silent about other addresses, in and out of its pools', async () => {
    expect(await arping('192.0.2.8')).toEqual([]);
    expect(await arping('198.51.100.1')).toEqual([]);
  });

  it('answers a question sent to its own MAC, and none that was sent to another, nor a reply', async () => {
    const replies = ({ heard }: Report) =>
      heard.filter(({ operation, mac, ip, target }) => operation === 2 && mac === macs.one && target !== ip);
    expect(replies(await ask({ to: macs.one }))).toHaveLength(1);
    expect(replies(await ask({ to: macs.two }))).toEqual([]);
    expect(replies(await ask({ operation: 2 }))).toEqual([]);
  });

  it('tells a take-over by request and reply, five times within five seconds', async () => {
    const listening = lab.send(client, [], 6_500);
    await lab.objects.service('fresh', ['192.0.2.9'], {
      endpoints: ['node-a'],
      spec: { externalTrafficPolicy: 'Local' },
    });
    const told = (await listening).heard.filter(({ ip, mac }) => ip === '192.0.2.9' && mac === macs.one);
    expect(told.map(({ operation }) => operation)).toEqual(Array.from({ length: 10 }, (_, i) => (i % 2) + 1));
    const rounds = told.filter(({ operation }) => operation === 1).map(({ at }) => at);
    for (const [i, at] of rounds.entries()) {
      expect(at - (rounds[0] ?? 0)).toBeGreaterThan(i * 1_100 - 50);
      expect(at - (rounds[0] ?? 0)).toBeLessThan(i * 1_100 + 250);
    }
  });

  it('falls silent when the last endpoint is gone, and returns with the first', async () => {
    await lab.objects.endpoints('shop', []);
    await silent(WEB);
    await lab.objects.endpoints('shop', ['node-a']);
    await answeredBy(WEB, macs.one);
  });

  it('loses no question while pools, advertisements and settings change around its address', async () => {
    const prober = await lab.probe(client, [WEB]);
    await lab.objects.pool('web', '192.0.2.0/27');
    await lab.objects.pool('other', '198.51.100.0/24');
    await lab.objects.advertisement('web', { interfaces: ['lan0'] });
    await lab.objects.advertisement('more', { ipAddressPools: ['other'] });
    first.setting('excludel2.yaml', EXCLUDE('^nothing$'));
    first.setting('logLevel', 'debug');
    await lab.objects.advertisement('web', { interfaces: [] });
    await lab.objects.service('late', ['192.0.2.20'], { endpoints: ['node-a'] });
    await answeredBy('192.0.2.20', macs.one);
    await lab.api.kubectl('delete', 'l2advertisement', 'more', '-n', 'metallb-system');
    const { lost, owners } = summary(await prober.stop());
    expect({ lost, owners: Object.keys(owners) }).toEqual({ lost: 0, owners: [macs.one] });
  });

  it('follows the interfaces of an advertisement', async () => {
    await lab.objects.advertisement('web', { interfaces: ['absent0'] });
    await silent(WEB);
    const reasons = () =>
      lab.api.kubectl('get', 'events', '-n', 'default', '-o', 'jsonpath={.items[*].reason}');
    await until('the Event', async () => (await reasons()).includes('announceFailed'));
    await lab.objects.advertisement('web', { interfaces: ['absent0', 'lan0'] });
    await answeredBy(WEB, macs.one);
    await lab.objects.advertisement('web', { interfaces: [] });
  });

  it('is silent on an interface from when it is excluded until it is not', async () => {
    first.setting('excludel2.yaml', EXCLUDE('^lan.*'));
    await silent(WEB);
    const listening = lab.send(client, [], 2_000);
    first.setting('excludel2.yaml', EXCLUDE());
    await answeredBy(WEB, macs.one);
    expect((await listening).heard.some(({ ip, mac }) => ip === WEB && mac === macs.one)).toBe(true);
  });

  it('keeps the exclusions that it has when their file is broken', async () => {
    first.setting('excludel2.yaml', 'announcedInterfacesToExclude: ["^lan.*"');
    await until('a refusal', () => readFileSync(first.daemon.log, 'utf8').includes('setting refused'));
    expect(await arping(WEB)).toContain(macs.one);
    first.setting('excludel2.yaml', EXCLUDE());
  });

  it('follows links that go down, come up, appear, change their MAC, join a bridge, and vanish', async () => {
    await one.exec('ip', 'link', 'set', 'lan0', 'down');
    await silent(WEB);
    await one.exec('ip', 'link', 'set', 'lan0', 'up');
    await answeredBy(WEB, macs.one);

    await lab.network.plug(one, 'lan1');
    const other = await macOf(one, 'lan1');
    await answeredBy(WEB, other);
    await one.exec('ip', 'link', 'set', 'lan1', 'address', '02:00:00:00:00:77');
    await answeredBy(WEB, '02:00:00:00:00:77');
    await one.exec('ip', 'link', 'add', 'br0', 'type', 'bridge');
    await one.exec('ip', 'link', 'set', 'lan1', 'master', 'br0');
    await until('one answer', async () => !(await arping(WEB)).includes('02:00:00:00:00:77'));
    await one.exec('ip', 'link', 'set', 'lan1', 'nomaster');
    await answeredBy(WEB, '02:00:00:00:00:77');
    await one.exec('ip', 'link', 'del', 'lan1');
    await one.exec('ip', 'link', 'del', 'br0');
    await until('lan0 alone', async () => new Set(await arping(WEB, 3)).size === 1);
    await answeredBy(WEB, macs.one);
  });

  it('says on its ConfigurationState which interface is lost, and what is the matter with it', async () => {
    const type = 'herald.io/InterfaceLost';
    const path = `{range .status.conditions[?(@.type=="${type}")]}{.status} {.reason} {.message}{end}`;
    const at = ['configurationstate', 'speaker-node-a', '-n', 'metallb-system', '-o', `jsonpath=${path}`];
    const says = (text: string) =>
      until(text, async () => (await lab.api.kubectl('get', ...at)) === text, { timeoutMs: 30_000 });
    const annotation = String.raw`jsonpath={.metadata.annotations.herald\.io/lost-interfaces}`;
    const annotated = () => lab.api.kubectl('get', ...at.slice(0, -1), annotation);
    await lab.objects.advertisement('web', { interfaces: ['lan0'] });
    await answeredBy(WEB, macs.one);
    await one.exec('ip', 'link', 'set', 'lan0', 'down');
    await says('True CannotAnswer lan0 (IPv4, IPv6): it is switched off\nno interface is left to answer on');
    // The same for those that compute the election.
    expect(JSON.parse(await annotated())).toMatchObject({ nowhere: true, lost: [{ if: 'lan0', fam: '46' }] });
    await one.exec('ip', 'link', 'set', 'lan0', 'up');
    await says('False AllWork ');
    expect(await annotated()).toBe('');
    await lab.objects.advertisement('web', { interfaces: [] });
    await answeredBy(WEB, macs.one);
  });

  it('serves on with its last good configuration while a bad one is in the cluster', async () => {
    await lab.objects.pool('clash', '192.0.2.0/24');
    await until(
      'the refusal',
      async () =>
        (await lab.api.kubectl(
          'get',
          'configurationstate',
          'speaker-node-a',
          '-n',
          'metallb-system',
          '-o',
          'jsonpath={.status.result}',
        )) === 'Invalid',
    );
    expect(await arping(WEB)).toContain(macs.one);
    expect(await first.metrics()).toContain('metallb_k8s_client_config_stale_bool 1');
    await lab.api.kubectl('delete', 'ipaddresspool', 'clash', '-n', 'metallb-system');
    await until(
      'Valid again',
      async () =>
        (await lab.api.kubectl(
          'get',
          'configurationstate',
          'speaker-node-a',
          '-n',
          'metallb-system',
          '-o',
          'jsonpath={.status.result}',
        )) === 'Valid',
    );
  });

  it('goes on answering while the API server is away, and follows it when it is back', async () => {
    const prober = await lab.probe(client, [WEB]);
    await lab.api.kill();
    expect(new Set(await arping(WEB, 5))).toEqual(new Set([macs.one]));
    expect((await first.readyz()).status).toBe(200);
    await lab.api.restart();
    await lab.objects.service('after', ['192.0.2.21'], { endpoints: ['node-a'] });
    await answeredBy('192.0.2.21', macs.one);
    expect(summary(await prober.stop()).lost).toBe(0);
  });

  describe('beside a second speaker', () => {
    beforeAll(async () => {
      await lab.objects.speakerPod('node-b', false);
      second = await lab.speaker(two);
      await lab.objects.endpoints('shop', ['node-a', 'node-b']);
      await lab.objects.speakerPod('node-b');
    });

    it('leaves an address to whom it belongs', async () => {
      await answeredBy(WEB, macs.one);
      expect(new Set(await arping(WEB, 5))).toEqual(new Set([macs.one]));
    });

    // The new address belongs to the other node.
    it.each([
      ['to another pool', '192.0.2.11', '192.0.2.65', () => lab.objects.pool('target', '192.0.2.64/28')],
      [
        'within its pool, which has just grown',
        '192.0.2.81',
        '192.0.2.82',
        () => lab.objects.pool('guest', '192.0.2.80-192.0.2.81', '192.0.2.82/32'),
      ],
    ])(
      'answers for both addresses of a Service that moves %s, and loses no question',
      async (_, old, fresh, grow) => {
        const shows = (...ips: string[]) =>
          lab.objects.status(
            'service',
            'mover',
            { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
            'default',
          );
        await lab.objects.pool('guest', '192.0.2.80-192.0.2.81');
        await lab.objects.service('mover', [old], { endpoints: ['node-a', 'node-b'] });
        await answeredBy(old, macs.one);
        const before = await lab.probe(client, [old]);
        await grow();
        await shows(old, fresh);
        await answeredBy(fresh, macs.two);
        expect(summary(await before.stop()).lost).toBe(0);
        const after = await lab.probe(client, [fresh]);
        await shows(fresh);
        await silent(old);
        expect(summary(await after.stop()).lost).toBe(0);
        await lab.api.kubectl('delete', 'service', 'mover');
      },
    );

    it('hands an address over without a question lost when its node is excluded, and takes it back', async () => {
      const prober = await lab.probe(client, [WEB]);
      const label = 'node.kubernetes.io/exclude-from-external-load-balancers';
      await lab.api.kubectl('label', 'node', 'node-a', `${label}=`);
      await until('node-b alone', async () => (await arping(WEB, 3)).every((mac) => mac === macs.two));
      await lab.api.kubectl('label', 'node', 'node-a', `${label}-`);
      await until('node-a alone', async () => (await arping(WEB, 3)).every((mac) => mac === macs.one));
      const { lost, owners } = summary(await prober.stop());
      expect(lost).toBe(0);
      expect(Object.keys(owners).sort()).toEqual([macs.one, macs.two].sort());
    });

    it('takes over when the other node is no longer Ready', async () => {
      await lab.objects.node('node-a', { ready: false });
      await answeredBy(WEB, macs.two);
      await until('node-b alone', async () => (await arping(WEB, 3)).every((mac) => mac === macs.two));
      await lab.objects.node('node-a');
      await answeredBy(WEB, macs.one);
    });

    it('loses no question when a Pod is deleted and its process ends, and tells of what it took over last', async () => {
      const prober = await lab.probe(client, [WEB]);
      // With a finalizer the Pod stays in deletion, as kubelet keeps it while the process ends.
      const patch = (finalizers: string[]) =>
        lab.api.kubectl(
          'patch',
          'pod',
          'speaker-node-a',
          '-n',
          'metallb-system',
          '--type=merge',
          '-p',
          JSON.stringify({ metadata: { finalizers } }),
        );
      await patch(['herald.io/test']);
      // Taken over in its last second, and told of all the same.
      await lab.objects.service('last', ['192.0.2.12'], {
        endpoints: ['node-a'],
        spec: { externalTrafficPolicy: 'Local' },
      });
      await answeredBy('192.0.2.12', macs.one);
      await lab.api.kubectl('delete', 'pod', 'speaker-node-a', '-n', 'metallb-system', '--wait=false');
      await first.stop();
      await until('node-b alone', async () => (await arping(WEB, 3)).every((mac) => mac === macs.two));
      const { lost } = summary(await prober.stop());
      await patch([]);
      expect(lost).toBe(0);
      const events = ['-n', 'default', '--field-selector=involvedObject.name=last', '-o'];
      expect(await lab.api.kubectl('get', 'events', ...events, 'jsonpath={.items[*].message}')).toBe(
        'announcing from node "node-a" with protocol "layer2"',
      );
      await until('a status of node-b', async () =>
        (
          await lab.api.kubectl(
            'get',
            'servicel2status',
            '-n',
            'metallb-system',
            '-l',
            'metallb.io/service-name=shop',
            '-o',
            'jsonpath={.items[*].status.node}',
          )
        ).includes('node-b'),
      );
      expect(await second.metrics()).toContain(
        `metallb_speaker_announced{service="default/shop",protocol="layer2",node="node-b",ip="${WEB}"} 1`,
      );
    });
  });
});
