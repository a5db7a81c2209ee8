/** MetalLB's controller and Herald's, each on a cluster of its own, given the same steps. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NAMESPACE, startController } from '../api/controller.rig.ts';
import { startMetallb } from '../servers/index.ts';
import {
  type AddressRule,
  addressRule,
  type Both,
  type Difference,
  differences,
  type Situation,
  waitingUpstream,
} from './compare.ts';
import { type Side, startSide } from './side.ts';
import type { Step } from './steps.ts';

export interface Pair {
  readonly upstream: Side;
  readonly herald: Side;
  close(): Promise<void>;
}

export async function startPair(): Promise<Pair> {
  const [upstream, herald] = await Promise.all([
    startSide(async (api, pod) => {
      const daemon = await startMetallb(api, { namespace: NAMESPACE, pod });
      return { pid: daemon.pid, end: (signal) => daemon.stop(signal) };
    }),
    startSide(async (api, pod) => {
      const program = await startController(api, { pod, args: ['--bgp-type=frr-k8s'] });
      return {
        pid: program.pid,
        // It waits for a moment whether the last pool is only being replaced.
        isEmpty: async () => !(await program.metrics()).includes('metallb_allocator_addresses_total{'),
        end: async (signal) => void (signal === 'SIGKILL' ? await program.kill() : await program.stop()),
      };
    }),
  ]);
  const close = async () => void (await Promise.all([upstream.close(), herald.close()]));
  return { upstream, herald, close };
}

const both = <T>({ upstream, herald }: Pair, f: (side: Side) => Promise<T>): Promise<[T, T]> =>
  Promise.all([f(upstream), f(herald)]);

const look = ({ upstream, herald }: Pair): Both => ({
  upstream: upstream.view.seen(),
  herald: herald.view.seen(),
});

/** What became of a history. */
export interface Played {
  /** Steps after which both were compared. */
  readonly steps: number;
  /** How often a rule excused a difference. */
  readonly excused: ReadonlyMap<Excuse, number>;
  /** What no rule excuses, and the step after which it was seen. */
  readonly failure?: { readonly step: Step; readonly differences: readonly Difference[] };
}

/** waiting: MetalLB does not look at those who wait when a holder moves or drops a port; a change of any pool makes it look. */
export type Excuse = AddressRule | 'waiting';

/** Plays one history from an empty cluster to its end, or to the first difference. */
export async function play(pair: Pair, steps: readonly Step[]): Promise<Played> {
  await both(pair, (side) => side.clear());
  const rest = await settled(pair, look(pair), new Set());
  if (rest.found.length > 0) throw new Error(`not alike when empty: ${describe(rest.found)}`);
  const excused = new Map<Excuse, number>();
  for (const [i, step] of steps.entries()) {
    const { differences: found, excuse } = await playStep(pair, step);
    if (excuse) excused.set(excuse, (excused.get(excuse) ?? 0) + 1);
    if (found.length > 0) return { steps: i + 1, excused, failure: { step, differences: found } };
    if (excuse !== undefined && excuse !== 'waiting') return { steps: i + 1, excused };
  }
  return { steps: steps.length, excused };
}

async function playStep(pair: Pair, step: Step): Promise<{ differences: Difference[]; excuse?: Excuse }> {
  const before = look(pair);
  for (const side of [pair.upstream, pair.herald]) side.view.begin();
  const [u, h] = await both(pair, (side) => carryOut(side, step));
  if (u !== h) return { differences: [{ what: 'answer of the API server', upstream: u, herald: h }] };
  const touched = touchedBy(step);
  const { found, situation } = await settled(pair, before, touched);
  if (found.length === 0) return { differences: [] };
  if (waitingUpstream(situation) && (await alikeAfterALook(pair, before, touched)))
    return { differences: [], excuse: 'waiting' };
  const excuse = addressRule(situation);
  return excuse ? { differences: [], excuse } : { differences: found };
}

/** Does a step at one side; the API server's refusals, "" when there are none. */
async function carryOut(side: Side, step: Step): Promise<string> {
  const restarts = 'restart' in step;
  if (restarts) await side.end(step.restart);
  const refusals: string[] = [];
  for (const change of restarts ? step.meanwhile : [step]) refusals.push((await side.apply(change)) ?? '');
  if (restarts) await side.start();
  return refusals.join(' ').trim();
}

function touchedBy(step: Step): ReadonlySet<string> {
  if ('restart' in step) return new Set(step.meanwhile.flatMap((change) => [...touchedBy(change)]));
  if ('service' in step) return new Set([step.service]);
  if ('status' in step) return new Set([step.status]);
  return new Set('annotate' in step ? [step.annotate] : []);
}

/** Changes a pool that nobody uses, so that both look at all Services again, and takes it away. */
async function alikeAfterALook(pair: Pair, before: Both, touched: ReadonlySet<string>): Promise<boolean> {
  const pool = 'spare';
  const spec = { addresses: ['198.51.100.0/32'], autoAssign: false };
  for (const change of [{ pool, spec }, { removePool: pool }]) {
    await both(pair, (side) => side.apply(change));
    const { found } = await settled(pair, before, touched);
    // Events differ: one of them served in two passes what the other served in one.
    if (found.some(({ what }) => !what.endsWith(' events'))) return false;
  }
  return true;
}

/** A step is over when so many bells in a row were heard without a change in between; one that nobody heard has lasted as long. */
const QUIET_BELLS = 3;
/** A difference counts when nothing has changed for so long, and in any case after the second time. */
const STILL_MS = 2_000;
const RESTLESS_MS = 15_000;

/** Rings until both are at rest and alike, or at rest and different. */
async function settled(
  pair: Pair,
  before: Both,
  touched: ReadonlySet<string>,
): Promise<{ found: Difference[]; situation: Situation }> {
  const changes = () => pair.upstream.view.changes() + pair.herald.view.changes();
  const start = performance.now();
  let [quiet, last, seen] = [0, start, changes()];
  for (;;) {
    const heard = await both(pair, (side) => side.ring());
    if (changes() !== seen) [quiet, last, seen] = [0, performance.now(), changes()];
    else quiet++;
    const restless = performance.now() - start > RESTLESS_MS;
    const serving = heard.every((yes) => yes);
    if (quiet < (serving ? QUIET_BELLS : 1) && !restless) continue;
    const situation = { before, now: look(pair), touched, serving };
    const found = differences(situation);
    if (found.length === 0 || restless || performance.now() - last > STILL_MS) return { found, situation };
    await sleep(20);
  }
}

export const describe = (found: readonly Difference[]): string =>
  found.map(({ what, upstream, herald }) => `\n  ${what}: MetalLB ${upstream}, Herald ${herald}`).join('');
