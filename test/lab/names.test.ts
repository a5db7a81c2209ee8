import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../servers/index.ts';
import { labAvailable, type RunningSpeaker } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';
import { ownership } from './ownership.ts';
import { type Member, type Site, startSite } from './site.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`names lab skipped: ${able}`);

describe.skipIf(able !== true)('two speakers with the name of one node', () => {
  let site: Site;
  let first: Member;
  let rogue: Host;
  let later: RunningSpeaker;
  let mac: string;

  const told = async (): Promise<readonly { message: string; count: number }[]> => {
    const which = '--field-selector=involvedObject.kind=Node,reason=NameConflict';
    const text = await site.lab.api.kubectl('get', 'events', '-n', 'default', which, '-o=json');
    const { items }: { items: { message: string; count: number }[] } = JSON.parse(text);
    return items.map(({ message, count }) => ({ message, count }));
  };

  beforeAll(async () => {
    site = await startSite({ product: 'herald', nodes: 2, addresses: 6 });
    const [one] = site.members;
    if (!one) throw new Error('no member');
    first = one;
    rogue = await site.lab.network.node('rogue');
    mac = await macOf(rogue, 'lan0');
    await site.settled();
  });
  afterAll(async () => {
    await site?.close();
  });

  it('announce each address once: the later one keeps still, and says so by Event and readiness', async () => {
    await site.watch.forget();
    const shown = await rogue.exec('ip', '-o', '-4', 'address', 'show', 'mgmt0');
    const address = /inet (\S+)\//.exec(shown)?.[1] ?? '';
    const args = [`--ml-bindaddr=${address}`, `--node-name=${first.name}`];
    later = await site.lab.speaker(rogue, { args, ready: false });
    // It asks for its place again, and is refused again.
    await until('the Event, twice', async () => (await told()).some(({ count }) => count > 1));
    expect((await told()).map(({ message }) => message)).toEqual([
      `another speaker, at ${first.address}:7946, claims to be that of this node; the one at ${address}:7946 announces nothing while that one is there`,
    ]);
    expect(await later.readyz()).toMatchObject({
      status: 503,
      text: expect.stringContaining('another speaker has the name of this node'),
    });
    const { questions } = await site.watch.take();
    for (const ip of site.watched) {
      const seen = ownership(questions.filter((question) => question.ip === ip));
      expect([ip, seen.moves, seen.twice, seen.last]).toEqual([ip, 0, 0, site.home(ip).mac]);
    }
  });

  it('follow each other: the later one announces once the first has left', async () => {
    await first.stop();
    await until('its readiness', async () => (await later.readyz()).status === 200);
    await until('its addresses', async () =>
      Object.entries(await site.watch.owners()).every(
        ([ip, macs]) => macs.join() === (site.home(ip) === first ? mac : site.home(ip).mac),
      ),
    );
  });
});
