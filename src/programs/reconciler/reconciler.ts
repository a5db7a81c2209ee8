import { LeaderElector } from '../../platform/kube/lease.ts';
import { Loop } from './loop.ts';
import { NAME, type Options } from './options.ts';

/** Runs the reconciler until the signal aborts, one process at a time by the Lease. */
export async function reconcile(o: Options, signal: AbortSignal): Promise<void> {
  const { client, clock, random, log, namespace, identity } = o;
  const loop = new Loop(o);
  const elector = new LeaderElector({ client, clock, random, log, namespace, identity, name: NAME });
  loop.start();
  try {
    await elector.run({ signal, lead: (leading) => loop.lead(leading) });
  } finally {
    await loop.close();
  }
}
