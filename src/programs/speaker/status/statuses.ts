import { createHash } from 'node:crypto';
import { NODE, SERVICE_NAME, SERVICE_NAMESPACE } from '../../../domain/api/annotations.ts';
import { type ServiceL2Status, ServiceL2Statuses } from '../../../domain/api/metallb.ts';
import { apiVersion } from '../../../domain/api/object.ts';
import { isAlreadyExists } from '../../../platform/kube/client.ts';
import { Queue } from '../../../platform/kube/queue.ts';
import { type Resource, resource } from '../../../platform/kube/resource.ts';
import type { Duty } from '../duty.ts';
import type { SpeakerOptions } from '../options.ts';
import { follow, type Parts, type Sources, statusService } from '../sources.ts';
import type { Owner } from './owner.ts';

/** Writes under way at once: few, so that an API server that is slow to answer is asked less. */
const CONCURRENCY = 2;
/** An object is written when its Service has stood for so long: while addresses change hands, nothing else may be in the way. */
const SETTLED_MS = 1_000;
const WRITE = { fieldManager: 'herald-speaker' } as const;

export interface StatusesOptions extends Parts {
  readonly options: SpeakerOptions;
  readonly sources: Sources;
  /** Own Pod, so that the objects go with it. */
  readonly owner: Owner;
  readonly duty: (key: string) => Duty | undefined;
}

/**
 * Keeps one ServiceL2Status per Service that this node announces, and touches no other node's: those
 * go with their Pod. A name made from node and Service keeps two writes from making two objects.
 */
export class Statuses {
  readonly #o: StatusesOptions;
  readonly #resource: Resource<ServiceL2Status>;
  readonly #queue: Queue;

  constructor(o: StatusesOptions) {
    this.#o = o;
    this.#resource = resource(o.client, ServiceL2Statuses);
    this.#queue = new Queue({
      ...o,
      log: o.log.child({ op: 'l2status' }),
      concurrency: CONCURRENCY,
      run: (key, signal) => this.#run(key, signal),
    });
    follow(o.sources.statuses, statusService, (key) => this.#queue.add(key));
  }

  /** The Service is announced otherwise than before. */
  add(key: string): void {
    this.#queue.addAfter(key, SETTLED_MS);
  }

  /** Not before the first decisions about all Services: until then every object would look out of date. */
  start(): void {
    this.#queue.start();
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async #run(key: string, signal: AbortSignal): Promise<void> {
    // Until the list is in, nobody knows what there is.
    if (!this.#o.sources.statuses.synced) await this.#o.sources.statuses.whenSynced(signal);
    const duty = this.#o.duty(key);
    const [first, ...more] = [...this.#o.sources.statuses.store.by('service', key)];
    for (const surplus of duty ? more : [first, ...more]) if (surplus) await this.#delete(surplus, signal);
    if (!duty) return;
    const desired = this.#status(key, duty);
    const present = first ?? (await this.#create(key, signal));
    if (present && !sameStatus(present, desired)) {
      const at = { name: present.metadata.name, namespace: this.#o.options.namespace };
      await this.#resource.mergePatch(at, { status: desired }, { ...WRITE, subresource: 'status', signal });
    }
  }

  #status(key: string, { interfaces }: Duty): Desired {
    const [serviceNamespace = '', serviceName = ''] = key.split('/');
    // null takes away the list of an earlier time; absent means all interfaces.
    const names = interfaces === 'all' ? null : [...interfaces].sort().map((name) => ({ name }));
    return { node: this.#o.options.node, serviceName, serviceNamespace, interfaces: names };
  }

  /** Undefined when it exists already and is only not seen yet: its event brings the key back. */
  async #create(key: string, signal: AbortSignal): Promise<ServiceL2Status | undefined> {
    const { options } = this.#o;
    const owner = await this.#o.owner(signal);
    const [namespace = '', name = ''] = key.split('/');
    const body = {
      apiVersion: apiVersion(ServiceL2Statuses),
      kind: ServiceL2Statuses.kind,
      metadata: {
        name: `l2-${createHash('sha256').update(`${options.node}#${key}`).digest('hex').slice(0, 16)}`,
        namespace: options.namespace,
        labels: { [NODE]: options.node, [SERVICE_NAME]: name, [SERVICE_NAMESPACE]: namespace },
        ...(owner && { ownerReferences: [owner] }),
      },
      spec: {},
    };
    try {
      return await this.#resource.create(body, { ...WRITE, signal });
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  }

  #delete({ metadata }: ServiceL2Status, signal: AbortSignal): Promise<void> {
    const at = { name: metadata.name, namespace: this.#o.options.namespace };
    return this.#resource.delete(at, { uid: metadata.uid, signal });
  }
}

/** The status as it is written. */
interface Desired {
  readonly node: string;
  readonly serviceName: string;
  readonly serviceNamespace: string;
  readonly interfaces: readonly { readonly name: string }[] | null;
}

function sameStatus({ status }: ServiceL2Status, desired: Desired): boolean {
  const names = status?.interfaces?.map(({ name }) => ({ name })) ?? null;
  return (
    status?.node === desired.node &&
    status.serviceName === desired.serviceName &&
    status.serviceNamespace === desired.serviceNamespace &&
    JSON.stringify(names) === JSON.stringify(desired.interfaces)
  );
}
