import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../servers/exec.ts';
import { labAvailable } from './lab.rig.ts';
import { ownership } from './ownership.ts';
import { type Member, type Site, startSite } from './site.rig.ts';
import { startWatch, type Watch } from './watch.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`IPv6 moves lab skipped: ${able}`);

/** All of them at home on n1. */
const SIXES = ['2001:db8::5', '2001:db8::7', '2001:db8::8'] as const;
const [SIX] = SIXES;
/** The longest silence of a move that was foreseen. */
const PLANNED_MS = 50;

describe.skipIf(able !== true)('IPv6 addresses of a node', () => {
  let site: Site;
  let watch: Watch;

  beforeAll(async () => {
    site = await startSite({ product: 'herald', nodes: 3, addresses: 1 });
    const { lab, client, members } = site;
    await lab.objects.pool('six', '2001:db8::/120');
    const endpoints = members.map(({ name }) => name);
    for (const [i, ip] of SIXES.entries()) await lab.objects.service(`six-${i}`, [ip], { endpoints });
    watch = await startWatch(client, SIXES);
    lab.run.defer(async () => watch.close());
  });
  afterAll(async () => {
    await site?.close();
  });

  const owner = (): Member => site.home(SIX);
  const answeredBy = (which: (mac: string) => boolean) =>
    until('one owner each', async () =>
      Object.values(await watch.owners()).every(([mac = '', ...more]) => more.length === 0 && which(mac)),
    );
  const atHome = () => answeredBy((mac) => mac === owner().mac);
  const away = () => answeredBy((mac) => mac !== '' && mac !== owner().mac);
  /** Where the kernel of the client has an address. */
  const neighbour = async (): Promise<string | undefined> =>
    /lladdr (\S+)/.exec(await site.client.exec('ip', '-6', 'neigh', 'show', SIX))?.[1];
  /** The worst of the addresses since `forget`. */
  const figures = async (what: string) => {
    const { questions } = await watch.take();
    const all = SIXES.map((ip) => {
      const of = questions.filter((question) => question.ip === ip);
      // Answers to the last ones are under way.
      return ownership(of.slice(0, of.findLastIndex(({ answers }) => answers.length > 0) + 1));
    });
    const worst = (of: 'without' | 'twice') => Math.round(Math.max(...all.map((one) => one[of])));
    const found = { without: worst('without'), twice: worst('twice'), moves: all.map(({ moves }) => moves) };
    console.log(
      `${what}: ${found.without} ms without an owner, ${found.twice} ms with two, moves ${found.moves.join(', ')}`,
    );
    return found;
  };
  const onceEach = SIXES.map(() => 1);

  it.each<[string, (node: Member) => Promise<void>, number]>([
    // Agreed within a second where the machine is idle; one that is not takes longer to come to it.
    ['its speaker is killed', (node) => node.stop('SIGKILL'), 3_000],
    ['its speaker is stopped', (node) => node.stop(), PLANNED_MS],
  ])(
    'move once when %s, and come back without a hole; neighbour tables follow',
    async (what, hit, mostMs) => {
      await atHome();
      // Any packet makes the kernel ask.
      await site.client.exec('bash', '-c', `echo > /dev/udp/${SIX}/9`);
      await until('home in the table', async () => (await neighbour()) === owner().mac);
      await watch.forget();
      await atHome();
      await hit(owner());
      await away();
      const gone = await figures(what);
      expect(gone.without).toBeLessThan(mostMs);
      expect(gone.moves).toEqual(onceEach);
      await until('the new owner in the table', async () => (await neighbour()) !== owner().mac);
      await watch.forget();
      await away();
      await owner().start();
      await atHome();
      const back = await figures('and back');
      expect(back.without).toBeLessThan(PLANNED_MS);
      expect(back.moves).toEqual(onceEach);
      await until('home in the table again', async () => (await neighbour()) === owner().mac);
    },
  );
});
