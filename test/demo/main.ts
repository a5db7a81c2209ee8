/** `make demo`: a git commit becomes an ARP reply, on real parts, with the time of each hop. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startFleet } from '../fleet/fleet.ts';
import { available } from '../servers/index.ts';
import { withoutCluster } from './processes.ts';
import { say, title } from './say.ts';
import { addPool, badRange, brokenYaml, changePool, installHerald, takeAway } from './steps.ts';

const keep = Boolean(process.env.KEEP);
const can = available('cluster');
if (can !== true) {
  process.exitCode = await withoutCluster(can);
} else {
  const start = performance.now();
  title('A cluster: control plane, two nodes and a client on one bridge; Flux; a git repository');
  const fleet = await startFleet({ nodes: 2 });
  try {
    say(
      `cluster and Flux are up after ${((performance.now() - start) / 1000).toFixed(1)} s (${fleet.cluster.network.subnet})`,
    );
    await installHerald(fleet);
    const lab = await addPool(fleet);
    try {
      await changePool(fleet, lab);
      await badRange(fleet, lab);
      await brokenYaml(fleet, lab);
      await takeAway(fleet, lab);
    } finally {
      await lab.prober.stop();
    }
    title('Done');
    say(`the whole walk took ${((performance.now() - start) / 1000).toFixed(0)} s`);
    if (keep) await stay(fleet.cluster.kubeconfig, fleet.flux.git.clone, fleet.cluster.client.netns);
  } catch (e) {
    say(`demo failed: ${e instanceof Error ? e.message : e}`);
    say(`logs will be in ${fleet.cluster.keptLogs}`);
    process.exitCode = 1;
  } finally {
    await fleet.stop();
  }
  if (process.exitCode === undefined) whatNext();
}

/** Keeps everything running until Ctrl-C. */
async function stay(kubeconfig: string, clone: string, netns: string): Promise<void> {
  say('KEEP=1: everything stays until Ctrl-C');
  say(`export KUBECONFIG=${kubeconfig}`);
  say(`the git clone to commit in and push from: ${clone}`);
  say(`the client: nsenter --net=/run/netns/${netns}`);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  // A timer holds the process; it ends with the signal.
  await sleep(2 ** 31 - 1, undefined, { signal: stop.signal }).catch(() => {});
}

function whatNext(): void {
  title('What to try next');
  say('make demo KEEP=1     stay in it, and use kubectl and git yourself');
  say('overlays/l2-lab      what an operator edits; copy it for your cluster');
  say('docs/operations.md   install it on a real cluster');
  say('docs/trace.md        the same walk, in the code');
}
