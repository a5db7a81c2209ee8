/** The controller of MetalLB, as its chart starts it but for webhooks and their certificates. */
import { toolPath } from '../../tools/servers/manifest.ts';
import type { ApiServer } from './apiserver.ts';
import type { Daemon } from './run.ts';

export interface MetallbOptions {
  readonly namespace: string;
  /** The Pod that its ConfigurationState names as owner; it must exist. */
  readonly pod: string;
}

/**
 * Starts it beside an API server that has the CRDs, in a namespace that exists. It answers at /readyz when this resolves, which
 * says nothing about its caches.
 */
export async function startMetallb(api: ApiServer, o: MetallbOptions): Promise<Daemon> {
  for (let tries = 3; ; tries--) {
    try {
      return await start(api, o);
    } catch (e) {
      // It listens on all addresses, where somebody else may take the port between our look and its start.
      if (tries === 1) throw e;
    }
  }
}

async function start(api: ApiServer, { namespace, pod }: MetallbOptions): Promise<Daemon> {
  const health = await api.lab.freePort('127.0.0.1');
  const daemon = api.lab.start({
    name: 'metallb-controller',
    command: toolPath('metallb-controller'),
    args: [
      `--namespace=${namespace}`,
      `--pod-name=${pod}`,
      '--port=0',
      `--health-probe-port=${health}`,
      '--webhook-mode=disabled',
      '--disable-cert-rotation',
    ],
    env: { KUBECONFIG: api.kubeconfig, METALLB_BGP_TYPE: 'frr-k8s' },
  });
  await daemon.ready(async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok);
  return daemon;
}
