/** A client for what can wait. */
import type { Clock } from '../obs/clock.ts';
import { Limiter } from './limiter.ts';
import type { KubeClient } from './ports.ts';

export interface Pace {
  /** Requests a second, on average. */
  readonly qps: number;
  /** Requests that may come at once. */
  readonly burst: number;
  /** Requests under way at once. */
  readonly concurrency: number;
  /** Each request waits for it first. Rejects when the signal aborts. */
  readonly rest?: (signal: AbortSignal | undefined) => Promise<void>;
}

/** The same client at a slower pace of its own; its watches and its end are those of the client itself. */
export function paced(
  client: KubeClient,
  { clock, rest, ...pace }: Pace & { readonly clock: Clock },
): KubeClient {
  const limiter = new Limiter({ ...pace, clock });
  return {
    server: client.server,
    namespace: client.namespace,
    async request(r) {
      await rest?.(r.signal);
      return await limiter.run(() => client.request(r), r.signal);
    },
    watch: (r) => client.watch(r),
    close: () => client.close(),
  };
}
