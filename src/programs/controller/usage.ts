import { type IPAddressPool, type IPAddressPoolStatus, IPAddressPools } from '../../domain/api/metallb.ts';
import type { Counters } from '../../domain/ipam/counters.ts';
import { isConflict, isNotFound } from '../../platform/kube/client.ts';
import { Queue } from '../../platform/kube/queue.ts';
import { type Resource, resource } from '../../platform/kube/resource.ts';
import type { Store } from '../../platform/kube/store.ts';
import type { Doors } from './doors.ts';
import { Echo } from './echo.ts';
import type { ControllerMetrics } from './metrics.ts';

/** Changes within this time make one write of a pool's status: a thousand new Services are not a thousand writes. */
const GATHER_MS = 100;

declare global {
  interface JSON {
    /** ECMAScript's JSON.parse source text access, which TypeScript's library does not know yet. */
    rawJSON(text: string): unknown;
  }
}

/** int64 values pass through JSON as they are: a /64 has more addresses than a number can count. */
const raw = (value: bigint): unknown => JSON.rawJSON(value.toString());

/** Keeps IPAddressPool.status true: how many addresses are assigned and free. */
export class Usage {
  readonly #doors: Doors;
  readonly #pools: Store<IPAddressPool>;
  readonly #counters: (name: string) => Counters | undefined;
  readonly #metrics: ControllerMetrics;
  readonly #resource: Resource<IPAddressPool>;
  readonly #queue: Queue;
  readonly #echo = new Echo<IPAddressPool>();

  /** `counters` gives undefined for a pool that is not in force. */
  constructor(o: {
    doors: Doors;
    pools: Store<IPAddressPool>;
    counters: (name: string) => Counters | undefined;
    metrics: ControllerMetrics;
  }) {
    this.#doors = o.doors;
    this.#pools = o.pools;
    this.#counters = o.counters;
    this.#metrics = o.metrics;
    this.#resource = resource(o.doors.client, IPAddressPools);
    const { clock, random, log } = o.doors;
    this.#queue = new Queue({
      run: (name) => this.#write(name),
      clock,
      random,
      log: log.child({ op: 'usage' }),
    });
    this.#queue.start();
  }

  /** Tells that the pool of that name may have changed, or its use. */
  touch(name: string): void {
    this.#queue.addAfter(name, GATHER_MS);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async #write(name: string): Promise<void> {
    const counters = this.#counters(name);
    if (counters) this.#metrics.pool(name, counters);
    else this.#metrics.forgetPool(name);
    const key = `${this.#doors.namespace}/${name}`;
    const pool = this.#echo.current(key, this.#pools.get(key));
    if (!pool || !counters || says(pool.status, counters)) return;
    const { resourceVersion } = pool.metadata;
    const status = Object.fromEntries(Object.entries(counters).map(([field, value]) => [field, raw(value)]));
    try {
      const written = await this.#resource.mergePatch(
        { name, namespace: this.#doors.namespace },
        { metadata: { resourceVersion }, status },
        { subresource: 'status', fieldManager: this.#doors.fieldManager, signal: this.#doors.grace },
      );
      this.#echo.wrote(pool, written);
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      this.touch(name);
    }
  }
}

/** Whether the status shows these counters, as far as a number can tell; a status that is absent shows zeros. */
function says(status: IPAddressPoolStatus | undefined, c: Counters): boolean {
  return (
    Number(c.assignedIPv4) === (status?.assignedIPv4 ?? 0) &&
    Number(c.assignedIPv6) === (status?.assignedIPv6 ?? 0) &&
    Number(c.availableIPv4) === (status?.availableIPv4 ?? 0) &&
    Number(c.availableIPv6) === (status?.availableIPv6 ?? 0)
  );
}
