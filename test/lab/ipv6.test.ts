import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressBytes, parseAddress } from '../../src/domain/ip/address.ts';
import { parseMac } from '../../src/domain/ip/mac.ts';
import {
  ADVERTISEMENT,
  encode,
  type Packet,
  SOLICITATION,
  SOURCE_MAC,
} from '../../src/protocols/ndp/codec.ts';
import { which } from '../../tools/servers/manifest.ts';
import { exec, until } from '../servers/index.ts';
import type { Report } from './client.ts';
import { EXCLUDE, type Lab, labAvailable, type RunningSpeaker, startLab } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`IPv6 lab skipped: ${able}`);
const ndisc6 = which('ndisc6') !== undefined;
if (able === true && !ndisc6) console.log('ndisc6 skipped: it is not installed');

const WEB4 = '192.0.2.7';
const WEB = '2001:db8::7';
const CLIENT = '2001:db8::fe';
/** Where WEB is asked for. */
const GROUP = 'ff02::1:ff00:7';

const mac = (text: string) => parseMac(text) ?? new Uint8Array(6);
const ip = (text: string) => {
  const address = parseAddress(text);
  return address ? addressBytes(address) : new Uint8Array(16);
};

describe.skipIf(able !== true)('a speaker of IPv6 on real links', () => {
  let lab: Lab;
  let client: Host;
  let one: Host;
  let two: Host;
  let first: RunningSpeaker;
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
    await objects.node('node-b');
    await objects.speakerPod('node-a');
    await objects.pool('web', '192.0.2.0/28', '2001:db8::/120');
    await objects.advertisement('web');
    // Of both nodes, node-a is the first for this Service: its first address decides.
    await objects.service('shop', [WEB4, WEB], { endpoints: ['node-a', 'node-b'] });
    first = await lab.speaker(one);
    // From then on it speaks only when it is asked.
    const told = `metallb_layer2_gratuitous_sent{ip="${WEB}"} 5`;
    await until('the end of the telling', async () => (await first.metrics()).includes(told));
  });
  afterAll(async () => {
    await lab?.close();
  });

  /** The state and MAC that the kernel of the client has for an address, after having been asked for it anew. */
  const neighbour = async (address = WEB): Promise<string> =>
    (await client.exec('ip', '-6', 'neigh', 'show', address, 'dev', 'eth0')).trim();
  const resolve = async (address: string): Promise<string> => {
    await client.exec('ip', '-6', 'neigh', 'flush', 'dev', 'eth0');
    // Any packet makes the kernel ask.
    await client.exec('bash', '-c', `echo > /dev/udp/${address}/9`);
    await until(
      `an end of the search for ${address}`,
      async () => /REACHABLE|FAILED/.test(await neighbour(address)),
      { timeoutMs: 10_000 },
    );
    return neighbour(address);
  };
  const answeredBy = (address: string, owner: string) =>
    until(`${address} at ${owner}`, async () => (await resolve(address)).includes(owner), {
      timeoutMs: 15_000,
    });
  const silent = (address: string) =>
    until(`${address} silent`, async () => (await resolve(address)).includes('FAILED'), {
      timeoutMs: 20_000,
    });
  /** Sends a solicitation by the client, and gives the advertisements about its target that came back. */
  const ask = async (change: Partial<Packet> = {}) => {
    const frame = encode({
      destination: mac('33:33:ff:00:00:07'),
      source: mac(macs.client),
      hopLimit: 255,
      from: ip(CLIENT),
      to: ip(GROUP),
      type: SOLICITATION,
      flags: 0,
      target: ip(WEB),
      options: [{ type: SOURCE_MAC, value: mac(macs.client) }],
      ...change,
    });
    const { heard } = await lab.send(client, [Buffer.from(frame).toString('hex')], 300);
    // A prober beside it asks from fe80::NUMBER.
    return heard.filter(
      ({ operation, ip: about, target }) =>
        operation === ADVERTISEMENT && about === WEB && !target.startsWith('fe80'),
    );
  };
  /** Questions without any answer, and who answered. */
  const summary = ({ questions }: Report) => ({
    lost: questions.filter(({ answers }) => answers.length === 0).length,
    owners: [...new Set(questions.flatMap(({ answers }) => answers.map((answer) => answer.mac)))].sort(),
  });

  it('puts both addresses of a Service into the neighbour tables of the client', async () => {
    expect(await resolve(WEB)).toContain(macs.one);
    await client.exec('bash', '-c', `echo > /dev/udp/${WEB4}/9`);
    await until('IPv4', async () =>
      (await client.exec('ip', 'neigh', 'show', WEB4)).includes(`${macs.one} REACHABLE`),
    );
  });

  it.skipIf(!ndisc6)('answers a real ndisc6 with the MAC of the interface', async () => {
    const [command, ...args] = client.enter(['ndisc6', '-q', '-1', '-r', '3', '-w', '500', WEB, 'eth0']);
    expect((await exec(command, args)).stdout.trim().toLowerCase()).toBe(macs.one);
  });

  it('is silent about other addresses, in and out of its pools', async () => {
    expect(await resolve('2001:db8::8')).toContain('FAILED');
    expect(await resolve('2001:db8::1:7')).toContain('FAILED');
  });

  it('confirms itself to a neighbour that knows it, by the very probe that the kernel sends to it alone', async () => {
    await client.exec('ip', '-6', 'neigh', 'replace', WEB, 'lladdr', macs.one, 'nud', 'probe', 'dev', 'eth0');
    await until('REACHABLE', async () => (await neighbour()).includes('REACHABLE'));
  });

  it('answers to the asker, solicited and overriding, with and without a link-layer address in the question', async () => {
    const answer = { mac: macs.one, ip: WEB, target: CLIENT, flags: 0x60 };
    expect(await ask()).toMatchObject([answer]);
    expect(await ask({ destination: mac(macs.one), to: ip(WEB), options: [] })).toMatchObject([answer]);
  });

  it('heeds no question that a router has forwarded, that is damaged, or for another host', async () => {
    expect(await ask({ hopLimit: 254 })).toEqual([]);
    expect(await ask({ destination: mac(macs.two) })).toEqual([]);
    const flood = { type: 200, value: new Uint8Array(1_430) };
    expect(await ask({ options: [flood] })).toMatchObject([{ mac: macs.one }]);
    const { heard } = await lab.send(client, ['3333ff00000702000000000186dd60000000'], 200);
    expect(heard.filter(({ ip: about }) => about === WEB)).toEqual([]);
    expect(await ask()).toHaveLength(1);
  });

  it('keeps the kernel of a client from taking the address', async () => {
    await client.exec('ip', '-6', 'address', 'add', `${WEB}/128`, 'dev', 'eth0');
    await until('a failed check', async () =>
      (await client.exec('ip', '-6', 'address', 'show', 'dev', 'eth0')).includes(
        `${WEB}/128 scope global dadfailed`,
      ),
    );
    await client.exec('ip', '-6', 'address', 'del', `${WEB}/128`, 'dev', 'eth0');
  });

  it('answers a check for a free address to all nodes, unsolicited', async () => {
    expect(await ask({ from: new Uint8Array(16), options: [] })).toMatchObject([
      { mac: macs.one, target: 'ff02::1', flags: 0x20 },
    ]);
  });

  it('is in the group of the address, so that a switch that looks at memberships sends it the questions', async () => {
    expect(await one.exec('ip', '-6', 'maddr', 'show', 'dev', 'lan0')).toContain(`${GROUP}\n`);
    expect(await one.exec('ip', '-6', 'maddr', 'show', 'dev', 'mgmt0')).not.toContain(`${GROUP}\n`);
    await lab.network.snoop(true);
    await until('a member', async () => (await lab.network.members()).includes(GROUP), { timeoutMs: 30_000 });
    expect(await resolve(WEB)).toContain(macs.one);
    await lab.network.snoop(false);
  });

  it('tells a take-over to all nodes, five times within five seconds', async () => {
    const listening = lab.send(client, [], 6_500);
    await lab.objects.service('fresh', ['2001:db8::9'], {
      endpoints: ['node-a'],
      spec: { externalTrafficPolicy: 'Local' },
    });
    const told = (await listening).heard.filter(({ ip: about }) => about === '2001:db8::9');
    expect(told.map(({ mac: by, target, flags }) => [by, target, flags])).toEqual(
      Array.from({ length: 5 }, () => [macs.one, 'ff02::1', 0x20]),
    );
    for (const [i, { at }] of told.entries()) {
      expect(at - (told[0]?.at ?? 0)).toBeGreaterThan(i * 1_100 - 50);
      expect(at - (told[0]?.at ?? 0)).toBeLessThan(i * 1_100 + 250);
    }
  });

  it('is silent on an interface from when it is excluded until it is not', async () => {
    first.setting('excludel2.yaml', EXCLUDE('^lan.*'));
    await silent(WEB);
    expect(await one.exec('ip', '-6', 'maddr', 'show', 'dev', 'lan0')).not.toContain(`${GROUP}\n`);
    const listening = lab.send(client, [], 2_000);
    first.setting('excludel2.yaml', EXCLUDE());
    await answeredBy(WEB, macs.one);
    expect((await listening).heard.some(({ ip: about, mac: by }) => about === WEB && by === macs.one)).toBe(
      true,
    );
  });

  it('is silent on an interface without IPv6, and back with it, while IPv4 goes on', async () => {
    const turn = (off: string) => one.exec('sysctl', '-qw', `net.ipv6.conf.lan0.disable_ipv6=${off}`);
    const prober = await lab.probe(client, [WEB4]);
    await turn('1');
    await silent(WEB);
    await turn('0');
    await answeredBy(WEB, macs.one);
    expect(summary(await prober.stop())).toEqual({ lost: 0, owners: [macs.one] });
  });

  it('follows the interfaces of an advertisement, and the endpoints', async () => {
    await lab.objects.advertisement('web', { interfaces: ['absent0'] });
    await silent(WEB);
    await lab.objects.advertisement('web', { interfaces: ['lan0'] });
    await answeredBy(WEB, macs.one);
    await lab.objects.advertisement('web', { interfaces: [] });
    await lab.objects.endpoints('shop', []);
    await silent(WEB);
    await lab.objects.endpoints('shop', ['node-a', 'node-b']);
    await answeredBy(WEB, macs.one);
  });

  it('shows in its metrics and in the status of the Service what it does', async () => {
    await until('a status', async () =>
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
      ).includes('node-a'),
    );
    const metrics = await first.metrics();
    expect(metrics).toContain(
      `metallb_speaker_announced{service="default/shop",protocol="layer2",node="node-a",ip="${WEB}"} 1`,
    );
    for (const name of ['requests_received', 'responses_sent', 'gratuitous_sent']) {
      const counted = new RegExp(`^metallb_layer2_${name}\\{ip="${WEB}"\\} [1-9]`, 'm');
      // Counts become metrics once a second.
      await until(name, async () => counted.test(await first.metrics()));
    }
    expect(metrics).not.toContain('herald_speaker_group_failures_total{');
  });

  describe('beside a second speaker', () => {
    beforeAll(async () => {
      await lab.objects.speakerPod('node-b', false);
      await lab.speaker(two);
      await lab.objects.speakerPod('node-b');
    });

    it('hands an address over without a question lost, and the kernel of the client hears of it unasked', async () => {
      await answeredBy(WEB, macs.one);
      const inTable = (owner: string) =>
        until(`${owner} in the table`, async () => (await neighbour()).includes(owner), {
          timeoutMs: 10_000,
        });
      const prober = await lab.probe(client, [WEB]);
      const label = 'node.kubernetes.io/exclude-from-external-load-balancers';
      await lab.api.kubectl('label', 'node', 'node-a', `${label}=`);
      await inTable(macs.two);
      await lab.api.kubectl('label', 'node', 'node-a', `${label}-`);
      await inTable(macs.one);
      await until(
        'node-b silent',
        async () => {
          const answers = await ask();
          return answers.length === 1 && answers[0]?.mac === macs.one;
        },
        { timeoutMs: 10_000 },
      );
      expect(summary(await prober.stop())).toEqual({ lost: 0, owners: [macs.one, macs.two].sort() });
    });
  });
});
