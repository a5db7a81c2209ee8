/** A client for one who may have to stop at any moment. */
import type { KubeClient } from './ports.ts';

/**
 * The same client, which sends writes only while `may` says so, asked in the moment of sending: a process that stood still in the
 * middle of its work goes on where it was, and what it had decided waits in queues and on connections. Reads are not held back.
 */
export function fenced(client: KubeClient, may: () => boolean): KubeClient {
  return {
    server: client.server,
    namespace: client.namespace,
    request: (r) => client.request(r.method === 'GET' ? r : { ...r, may }),
    watch: (r) => client.watch(r),
    close: () => client.close(),
  };
}
