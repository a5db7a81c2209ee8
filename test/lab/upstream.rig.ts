import { toolPath } from '../../tools/servers/manifest.ts';
import type { Daemon } from '../servers/run.ts';
import type { Lab } from './lab.rig.ts';
import type { Host } from './network.rig.ts';
import { NAMESPACE } from './objects.rig.ts';

/** Labels of upstream's speaker Pods. */
export const UPSTREAM_LABELS = 'app.kubernetes.io/name=metallb,app.kubernetes.io/component=speaker';

/**
 * Upstream's speaker on a node, as its chart starts it but for certificates; its ring is bound to `address`, without a key.
 * `labels`: of the Pods of all speakers.
 */
export async function startUpstream(
  lab: Pick<Lab, 'run' | 'api'>,
  host: Host,
  { address, labels = UPSTREAM_LABELS }: { readonly address: string; readonly labels?: string },
): Promise<Daemon> {
  const [command, ...args] = host.enter([
    toolPath('metallb-speaker'),
    `--node-name=${host.name}`,
    `--pod-name=speaker-${host.name}`,
    `--namespace=${NAMESPACE}`,
    `--ml-bindaddr=${address}`,
    `--ml-labels=${labels}`,
    '--port=0',
  ]);
  const daemon = lab.run.start({
    name: `upstream-${host.name}`,
    command,
    args,
    env: { KUBECONFIG: lab.api.kubeconfig, METALLB_BGP_TYPE: 'native' },
  });
  const ready = ['curl', '-sf', '-m', '2', 'http://127.0.0.1:17472/readyz'];
  await daemon.ready(
    async () =>
      host.exec(...ready).then(
        () => true,
        () => false,
      ),
    30_000,
  );
  return daemon;
}
