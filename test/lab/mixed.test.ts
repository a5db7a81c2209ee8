import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rank } from '../../src/domain/election/ranks.ts';
import { available, until } from '../servers/index.ts';
import { labAvailable } from './lab.rig.ts';
import { ownership, prompt } from './ownership.ts';
import { patch } from './services.rig.ts';
import { type Member, type Site, startSite } from './site.rig.ts';

const lab = labAvailable();
const able = lab === true ? available('upstream') : lab;
if (able !== true) console.log(`mixed lab skipped: ${able}`);

const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers';

describe.skipIf(able !== true)('two speakers of Herald and one of MetalLB', () => {
  let site: Site;
  let [one, two, theirs]: Member[] = [];

  const edit = (member: Member | undefined, body: object) =>
    patch(site.kube, `/api/v1/nodes/${member?.name}`, body);
  const cordon = (member: Member | undefined) => edit(member, { spec: { unschedulable: true } });
  const exclude = (member: Member | undefined, on: boolean) =>
    edit(member, { metadata: { labels: { [EXCLUDE]: on ? '' : null } } });
  /** Each address is where upstream's order among these has it. */
  const among = (...members: (Member | undefined)[]) =>
    until(`the order of ${members.map((member) => member?.name)}`, async () =>
      Object.entries(await site.watch.owners()).every(([ip, macs]) => {
        const [first] = rank(
          members.flatMap((member) => member?.name ?? []),
          ip,
        );
        return macs.join() === members.find((member) => member?.name === first)?.mac;
      }),
    );

  beforeAll(async () => {
    site = await startSite({ product: 'mixed', nodes: 3, addresses: 12 });
    [one, two, theirs] = site.members;
    await site.settled();
    // The test means something only when each has some.
    expect(new Set(site.ips.map((ip) => site.home(ip).name)).size).toBe(3);
  });
  afterAll(async () => {
    await site?.close();
  });

  it('elect alike when nodes are cordoned, which MetalLB does not look at, and when one is excluded', async () => {
    await site.watch.forget();
    await cordon(one);
    await cordon(theirs);
    // Seen after the cordons by whoever watches nodes.
    await exclude(two, true);
    await among(one, theirs);
    await exclude(two, false);
    await among(one, two, theirs);
    const questions = prompt((await site.watch.take()).questions);
    for (const ip of site.watched.filter((each) => site.home(each) !== two))
      expect([ip, ownership(questions.filter((each) => each.ip === ip)).moves]).toEqual([ip, 0]);
  });

  it('let cordons count as soon as MetalLB is gone', async () => {
    await theirs?.stop();
    await among(two);
  });
});
