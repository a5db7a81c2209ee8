import { homedir } from 'node:os';
import { join } from 'node:path';
import { readText } from '../platform/files/files.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { systemClock } from '../platform/obs/clock.ts';
import { createLog } from '../platform/obs/log.ts';

/** The cluster that kubectl would ask; inside one, without a kubeconfig, that one. */
export async function connectTo(kubeconfig: string | undefined): Promise<KubeClient> {
  // The libraries behind it take longer to load than most commands to run.
  const { connect } = await import('../platform/kube/client.ts');
  const log = createLog({ level: 'none', clock: systemClock });
  const file = kubeconfig ?? (await homeConfig());
  return await connect({ log, userAgent: 'herald', ...(file !== undefined && { kubeconfig: file }) });
}

async function homeConfig(): Promise<string | undefined> {
  const file = join(homedir(), '.kube', 'config');
  return await readText(file).then(
    () => file,
    () => undefined,
  );
}
