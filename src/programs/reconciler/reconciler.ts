import { fenced } from '../../platform/kube/fenced.ts';
import { LeaderElector } from '../../platform/kube/lease.ts';
import { isAbort } from '../../platform/obs/clock.ts';
import { ForeignConversion, refuseForeignConversion } from './conversion.ts';
import { Loop } from './loop.ts';
import { NAME, type Options } from './options.ts';

/** Asks until the API server answers; rejects with an AbortError when the signal comes first. */
async function patiently(
  { clock, log }: Options,
  signal: AbortSignal,
  ask: () => Promise<void>,
): Promise<void> {
  for (;;) {
    try {
      return await ask();
    } catch (e) {
      if (e instanceof ForeignConversion || isAbort(e)) throw e;
      log.warn({ op: 'start', error: e }, 'API server does not answer, trying again');
      await clock.sleep(2_000, signal);
    }
  }
}

/** Runs the reconciler until the signal aborts, one process at a time by the Lease. Throws ForeignConversion. */
export async function reconcile(o: Options, signal: AbortSignal): Promise<void> {
  const { client, clock, random, log, namespace, identity } = o;
  try {
    await patiently(o, signal, () => refuseForeignConversion(client, signal));
  } catch (e) {
    if (signal.aborted && isAbort(e)) return;
    throw e;
  }
  const elector = new LeaderElector({ client, clock, random, log, namespace, identity, name: NAME });
  const loop = new Loop({ ...o, client: fenced(client, () => elector.leading) });
  loop.start();
  try {
    await elector.run({ signal, lead: (leading) => loop.lead(leading) });
  } finally {
    await loop.close();
  }
}
