import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, until } from '../servers/exec.ts';
import { labAvailable } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';
import { type Ownership, ownership } from './ownership.ts';
import { type Member, type Site, startSite } from './site.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`moves lab skipped: ${able}`);

/** The longest silence of a move that was foreseen: the owner before answers on until the new one does, however slow. */
const PLANNED_MS = 50;

const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers';

describe.skipIf(able !== true)('addresses of a node that lives', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ product: 'herald', nodes: 3, addresses: 12 });
    await site.settled();
  });
  afterAll(async () => {
    await site?.close();
  });

  /** Who had each address since `forget`. */
  const owned = async (): Promise<ReadonlyMap<string, Ownership>> => {
    const { questions } = await site.watch.take();
    return new Map(
      site.watched.map((ip) => {
        const of = questions.filter((q) => q.ip === ip);
        // Answers to the last ones are under way.
        return [ip, ownership(of.slice(0, of.findLastIndex(({ answers }) => answers.length > 0) + 1))];
      }),
    );
  };
  const worst = (all: readonly Ownership[], of: 'without' | 'twice' | 'moves') =>
    Math.round(Math.max(0, ...all.map((one) => one[of])));
  /** Those that belong to the node, and the others. */
  const parted = async (node: Member) => {
    const all = [...(await owned())];
    const of = (own: boolean) => all.filter(([ip]) => (site.home(ip) === node) === own).map(([, o]) => o);
    return { own: of(true), others: of(false) };
  };
  /** Nothing from before counts, and each address is at home. */
  const begin = async () => {
    await site.watch.forget();
    await site.settled();
  };
  const homeOf = (ip: string | undefined) => site.home(ip ?? '');
  const leave = (node: Member) =>
    until(`nothing at ${node.name}`, async () =>
      Object.values(await site.watch.owners()).every((macs) => macs.length === 1 && macs[0] !== node.mac),
    );
  /** The far end of the node's cable. */
  const port = (node: Member, state: 'up' | 'down') =>
    must('ip', ['link', 'set', site.lab.network.ports(node.host, 'lan')[0] ?? '', state]);
  const kubectl = (...args: string[]) => site.lab.api.kubectl(...args);
  const label = (node: Member, change: string) => kubectl('label', 'node', node.name, change);
  const report = (what: string, all: readonly Ownership[]) => {
    const [hole, two] = [worst(all, 'without'), worst(all, 'twice')];
    console.log(`${what}: ${hole} ms without an owner, ${two} ms with two, ${worst(all, 'moves')} moves`);
  };

  it.each<[string, (node: Member) => Promise<unknown>, (node: Member) => Promise<unknown>]>([
    ['its cable is pulled', (n) => port(n, 'down'), (n) => port(n, 'up')],
    [
      'its interface is switched off',
      (n) => n.host.exec('ip', 'link', 'set', 'lan0', 'down'),
      (n) => n.host.exec('ip', 'link', 'set', 'lan0', 'up'),
    ],
  ])('move when %s, and come back without a hole', async (what, hit, mend) => {
    const node = homeOf(site.watched[0]);
    await begin();
    await hit(node);
    await leave(node);
    const away = await parted(node);
    report(what, away.own);
    expect(worst(away.own, 'without')).toBeLessThan(1_000);
    expect(away.own.every(({ moves }) => moves === 1)).toBe(true);
    expect([worst(away.others, 'moves'), worst(away.others, 'twice')]).toEqual([0, 0]);
    expect(worst(away.others, 'without')).toBeLessThan(PLANNED_MS);
    await site.watch.forget();
    await leave(node);
    await mend(node);
    await site.settled();
    const back = await parted(node);
    report('and back', back.own);
    expect(back.own.every(({ moves }) => moves === 1)).toBe(true);
    expect(worst(back.own, 'without')).toBeLessThan(PLANNED_MS);
  });

  it('move once while a cable comes and goes', async () => {
    const node = homeOf(site.watched[0]);
    await begin();
    for (let i = 0; i < 5; i++) {
      await port(node, 'down');
      await leave(node);
      await port(node, 'up');
    }
    await site.settled();
    const { own } = await parted(node);
    report('a cable that comes and goes', own);
    expect(worst(own, 'moves')).toBe(2);
  });

  it.each<[string, (node: Member) => Promise<unknown>, (node: Member) => Promise<unknown>]>([
    ['its speaker is stopped', (n) => n.stop(), (n) => n.start()],
    ['it is cordoned', (n) => kubectl('cordon', n.name), (n) => kubectl('uncordon', n.name)],
    ['it is excluded', (n) => label(n, `${EXCLUDE}=`), (n) => label(n, `${EXCLUDE}-`)],
  ])('move without a hole when %s, and come back so', async (what, hit, mend) => {
    const node = homeOf(site.watched[0]);
    await begin();
    await hit(node);
    await leave(node);
    const away = await parted(node);
    report(what, away.own);
    await site.watch.forget();
    await leave(node);
    await mend(node);
    await site.settled();
    const back = await parted(node);
    report('and back', back.own);
    for (const { own, others } of [away, back]) {
      expect(worst(own, 'without')).toBeLessThan(PLANNED_MS);
      expect(own.every(({ moves }) => moves === 1)).toBe(true);
      expect([worst(others, 'moves'), worst(others, 'twice')]).toEqual([0, 0]);
    }
  });

  it('move away and back, once each and without a hole, when all speakers are updated in turn', {
    timeout: 120_000,
  }, async () => {
    await begin();
    for (const member of site.members) await member.roll();
    await site.settled();
    const all = [...(await owned()).values()];
    report('rolling update', all);
    expect(worst(all, 'without')).toBeLessThan(PLANNED_MS);
    expect(all.map(({ moves }) => moves)).toEqual(all.map(() => 2));
  });

  it('are told of with the cause of their last move', async () => {
    const [ip = ''] = site.watched;
    const node = homeOf(ip);
    await begin();
    await port(node, 'down');
    await leave(node);
    const moves = async () => {
      const url = 'http://127.0.0.1:9120/metrics';
      const texts = await Promise.all(site.members.map(({ host }) => host.exec('curl', '-s', url)));
      const line = /^herald_speaker_moves_total{cause="carrier-lost"} (\d+)$/m;
      return texts.reduce((sum, text) => sum + Number(line.exec(text)?.[1] ?? 0), 0);
    };
    expect(await moves()).toBeGreaterThanOrEqual(1);
    const seen = () =>
      kubectl(
        'get',
        'events',
        '-n',
        'default',
        '-o',
        'jsonpath={range .items[*]}{.reason} {.message}{"\\n"}{end}',
      );
    await until('an Event', async () =>
      (await seen()).includes(`AddressMoved ${ip} moved from node "${node.name}"`),
    );
    expect(await seen()).toMatch(/cause carrier-lost: /);
    await port(node, 'up');
    await site.settled();
  });

  it('move when nothing leaves the interface any more, and come back when it does', async () => {
    const node = homeOf(site.watched[0]);
    await begin();
    // A queue that holds one byte: each frame is refused.
    await node.host.exec('tc', 'qdisc', 'replace', 'dev', 'lan0', 'root', 'bfifo', 'limit', '1');
    await leave(node);
    const { own } = await parted(node);
    report('nothing leaves', own);
    expect(own.every(({ moves }) => moves === 1)).toBe(true);
    await node.host.exec('tc', 'qdisc', 'del', 'dev', 'lan0', 'root');
    // It is tried again after ten seconds.
    await site.settled();
  });

  describe('on two interfaces', () => {
    const NAMED = '198.51.100.7';
    const SIX = '2001:db8::7';
    let client: Host;

    beforeAll(async () => {
      client = await site.lab.network.client('c');
      const { network, objects } = site.lab;
      await objects.advertisement('all', { ipAddressPools: ['all', 'six'], interfaces: ['lan0'] });
      for (const { host } of site.members) await network.plug(host, 'lan1');
      await objects.pool('named', '198.51.100.0/28');
      await objects.pool('six', '2001:db8::/120');
      await objects.advertisement('named', { ipAddressPools: ['named'], interfaces: ['lan1'] });
      const endpoints = site.members.map(({ name }) => name);
      await objects.service('named', [NAMED], { endpoints });
      await objects.service('six', [SIX], { endpoints });
    });

    /** Who answers alone, by the name of the node. */
    const answering = async (ip: string, link: string): Promise<Member> => {
      const macs = new Map<string, Member>();
      for (const member of site.members) macs.set(await macOf(member.host, link), member);
      let found: Member | undefined;
      await until(`one owner of ${ip}`, async () => {
        const prober = await site.lab.probe(client, [ip]);
        await new Promise((resolve) => setTimeout(resolve, 100));
        const { questions } = await prober.stop();
        const all = new Set(questions.flatMap(({ answers }) => answers.map(({ mac }) => mac)));
        found = all.size === 1 ? macs.get([...all][0] ?? '') : undefined;
        return found !== undefined;
      });
      if (!found) throw new Error(ip);
      return found;
    };

    it.each([
      [
        'the interface that an advertisement names is down',
        NAMED,
        'lan1',
        'ip link set lan1 down',
        'ip link set lan1 up',
      ],
      [
        'the interface no longer has IPv6',
        SIX,
        'lan0',
        'sysctl -qw net.ipv6.conf.lan0.disable_ipv6=1',
        'sysctl -qw net.ipv6.conf.lan0.disable_ipv6=0',
      ],
    ])('move alone when %s', async (_, ip, link, hit, mend) => {
      await begin();
      const node = await answering(ip, link);
      await node.host.exec(...hit.split(' '));
      expect(await answering(ip, link)).not.toBe(node);
      await node.host.exec(...mend.split(' '));
      await until('its return', async () => (await answering(ip, link)) === node);
      expect(worst([...(await owned()).values()], 'moves')).toBe(0);
    });
  });
});
