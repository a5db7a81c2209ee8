/**
 * `record.ts`: a story of a ring of two speakers of Herald and one of MetalLB, as a fourth member lives through it; writes the fixture
 * of `src/protocols/gossip/trace.test.ts`. To be repeated when what members say to each other changes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packTrace } from '../../src/protocols/gossip/trace.rig.ts';
import { stall } from './faults.rig.ts';
import { NAMESPACE, SPEAKER_LABELS } from './objects.rig.ts';
import { startSite } from './site.rig.ts';
import { startUpstream } from './upstream.rig.ts';

const FIXTURE = join(import.meta.dirname, '../../src/protocols/gossip/trace.data.rig.ts');
const CALM_MS = 700;

const site = await startSite({ product: 'herald', nodes: 2, addresses: 1 });
try {
  const { lab, members } = site;
  const [first, second] = members;
  if (!first || !second) throw new Error('no members');
  const addressed = async (name: string) => {
    const host = await lab.network.node(name);
    const shown = await host.exec('ip', '-4', '-o', 'address', 'show', 'mgmt0');
    return { host, address: /inet ([\d.]+)/.exec(shown)?.[1] ?? '' };
  };
  const theirs = await addressed('n3');
  const labels = Object.entries(SPEAKER_LABELS).map(([name, value]) => `${name}=${value}`);
  await lab.objects.node('n3');
  await lab.objects.speakerPod('n3');
  await lab.objects.status('pod', 'speaker-n3', { podIP: theirs.address }, NAMESPACE);
  const upstream = await startUpstream(lab, theirs.host, {
    address: theirs.address,
    labels: labels.join(','),
  });
  await sleep(CALM_MS);

  const ours = await addressed('n4');
  const file = join(lab.run.dir, 'trace.json');
  const peers = [first.address, second.address, theirs.address].join(',');
  const program = join(import.meta.dirname, 'member.ts');
  const [command, ...args] = ours.host.enter([process.execPath, program, 'n4', ours.address, peers, file]);
  const member = lab.run.start({ name: 'member', command, args });
  await member.ready(async () => readFileSync(member.log, 'utf8').includes('ready'));
  await sleep(CALM_MS);
  await first.stop('SIGKILL');
  await sleep(1_500);
  await first.start();
  await sleep(CALM_MS);
  await stall(second.pid, 350);
  await stall(member.pid, 350);
  await sleep(CALM_MS);
  await upstream.stop();
  await sleep(CALM_MS);
  await second.stop();
  await sleep(CALM_MS);
  await member.stop();
  const packed = packTrace(JSON.parse(readFileSync(file, 'utf8')));
  const why = '/** What `test/lab/record.ts` recorded: a Trace, as gzip of JSON in base64. */';
  writeFileSync(FIXTURE, `${why}\nexport const RECORDED = \`\n${packed}\`;\n`);
  console.log(`${packed.length} bytes`);
} finally {
  await site.close();
}
