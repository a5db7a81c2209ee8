import { createHash } from 'node:crypto';
import { kubeTime } from '../../../domain/api/conditions.ts';
import { type AddressProbe, AddressProbes, type ProbeAnswer } from '../../../domain/api/herald.ts';
import { apiVersion, keyOf } from '../../../domain/api/object.ts';
import { type Address, formatAddress, parseAddress } from '../../../domain/ip/address.ts';
import { formatMac } from '../../../domain/ip/mac.ts';
import { Queue } from '../../../platform/kube/queue.ts';
import type { Reflector } from '../../../platform/kube/reflector.ts';
import { type Resource, resource } from '../../../platform/kube/resource.ts';
import type { Announcer } from '../layer2/announcer.ts';
import type { SpeakerOptions } from '../options.ts';
import type { Parts } from '../sources.ts';
import { ask } from './asking.ts';

/** So many answers are enough. */
const ENOUGH = 2;
/** Not all speakers of a subnet ask at once: each begins at its own time within so many milliseconds per node. */
const SPREAD_MS = 20;
const SPREAD_MOST_MS = 1_000;
/** Probes under way at once. */
const CONCURRENCY = 4;

export interface ProbesOptions extends Parts {
  readonly options: SpeakerOptions;
  readonly cache: Reflector<AddressProbe>;
  readonly announcer: Announcer;
  /** How many nodes the cluster has. */
  readonly nodes: () => number;
}

/** Answers AddressProbes as far as this node has an interface in the subnet of what they ask for. */
export class Probes {
  readonly #o: ProbesOptions;
  readonly #resource: Resource<AddressProbe>;
  readonly #queue: Queue;
  /** Uids of those that this node has answered, until they are gone. */
  readonly #answered = new Map<string, string>();

  constructor(o: ProbesOptions) {
    this.#o = o;
    this.#resource = resource(o.client, AddressProbes);
    this.#queue = new Queue({
      ...o,
      log: o.log.child({ op: 'probe' }),
      concurrency: CONCURRENCY,
      run: (key, signal) => this.#run(key, signal),
    });
    o.cache.onChange((key) => this.#changed(key));
  }

  /** Once interfaces are known. */
  start(): void {
    this.#queue.start();
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  #changed(key: string): void {
    const probe = this.#o.cache.store.get(key);
    if (!probe) this.#answered.delete(key);
    else if (this.#isOpen(probe)) this.#queue.addAfter(key, this.#delay(probe));
  }

  /** Nothing is to be asked that somebody has found taken, or that enough others have asked. */
  #isOpen(probe: AddressProbe): boolean {
    const { answers = [], result } = probe.status ?? {};
    const { node } = this.#o.options;
    if (result !== undefined || this.#answered.get(keyOf(probe)) === probe.metadata.uid) return false;
    if (answers.length >= ENOUGH || answers.some((answer) => answer.node === node)) return false;
    return this.#askable(probe).length > 0;
  }

  /** The same for each look at the probe, and another for each node. */
  #delay({ metadata }: AddressProbe): number {
    const { node } = this.#o.options;
    const digest = createHash('sha256').update(`${metadata.uid}#${node}`).digest();
    const spread = Math.min(SPREAD_MOST_MS, SPREAD_MS * Math.max(0, this.#o.nodes() - ENOUGH));
    return Math.round((digest.readUInt32BE(0) / 0xffff_ffff) * spread);
  }

  #askable({ spec }: AddressProbe): readonly Address[] {
    return spec.addresses.flatMap((text) => {
      const address = parseAddress(text);
      return address && this.#o.announcer.facesIn(address).length > 0 ? [address] : [];
    });
  }

  async #run(key: string, signal: AbortSignal): Promise<void> {
    const probe = this.#o.cache.store.get(key);
    if (!probe || !this.#isOpen(probe)) return;
    const { options, clock } = this.#o;
    const addresses = this.#askable(probe);
    const { name, namespace = '' } = probe.metadata;
    const taken = [...this.#own(addresses), ...(await this.#others(addresses, signal))];
    const time = kubeTime(clock.date());
    const answer: ProbeAnswer = {
      node: options.node,
      addresses: addresses.map(formatAddress),
      taken,
      time,
    };
    // Each node applies its own item of the list, so that none can overwrite another's.
    await this.#resource.apply(
      {
        apiVersion: apiVersion(AddressProbes),
        kind: AddressProbes.kind,
        metadata: { name, namespace, uid: probe.metadata.uid },
        status: { answers: [answer] },
      },
      { fieldManager: `herald-speaker-${options.node}`.slice(0, 128), subresource: 'status', signal },
    );
    this.#answered.set(key, probe.metadata.uid);
  }

  /** What this node itself announces is in use. */
  #own(addresses: readonly Address[]): readonly Taken[] {
    const { announcer } = this.#o;
    return addresses
      .filter((address) => announcer.announcement(formatAddress(address)))
      .flatMap((address) => announcer.facesIn(address).map((face) => taken({ address, ...face })));
  }

  async #others(addresses: readonly Address[], signal: AbortSignal): Promise<readonly Taken[]> {
    const { announcer } = this.#o;
    const found = await Promise.all(
      addresses.map((address) => {
        const interfaces = new Set(announcer.facesIn(address).map(({ name }) => name));
        return ask(this.#o, { addresses: [address], interfaces, signal });
      }),
    );
    return found.flat().map(({ interface: name, ...heard }) => taken({ ...heard, name }));
  }
}

type Taken = NonNullable<ProbeAnswer['taken']>[number];

function taken({ address, mac, name }: { address: Address; mac: Uint8Array; name: string }): Taken {
  return { address: formatAddress(address), mac: formatMac(mac), interface: name };
}
