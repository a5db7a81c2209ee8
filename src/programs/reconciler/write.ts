import type { Write } from '../../domain/change/plan.ts';
import {
  bodyOf,
  type DesiredObject,
  idOf,
  type LiveObject,
  liveKind,
  OWNED,
  viewOf,
} from '../../domain/desired/object.ts';
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  type KubeClient,
} from '../../platform/kube/client.ts';
import { type Resource, resource, type WriteOptions } from '../../platform/kube/resource.ts';
import { isAbort } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import { NAME } from './options.ts';
import type { Overlay } from './overlay.ts';

/** Writes under way at once: a thousand pools are there within seconds, and the API server has room for others. */
const PARALLEL = 8;

/** A write that did not succeed. */
export interface Failure {
  readonly write: Write;
  /** refused: the API server does not take the object, and a retry changes nothing. moved: somebody else wrote meanwhile. */
  readonly kind: 'refused' | 'forbidden' | 'moved' | 'failed';
  /** The server's words; safe to show, as no Secret is among the objects that it quotes from. */
  readonly message: string;
}

export interface Written {
  readonly done: readonly Write[];
  readonly failures: readonly Failure[];
}

/** Sends the writes of plans. */
export class Writer {
  readonly #resources: ReadonlyMap<string, Resource<LiveObject>>;
  readonly #overlay: Overlay;
  readonly #log: Log;

  constructor(o: { client: KubeClient; log: Log; overlay: Overlay }) {
    this.#resources = new Map(OWNED.map((address) => [address.kind, resource(o.client, liveKind(address))]));
    this.#overlay = o.overlay;
    this.#log = o.log.child({ op: 'write' });
  }

  /** The writes of one stage, several at once. Rejects only on abort. */
  async carryOut(stage: readonly Write[], signal: AbortSignal): Promise<Written> {
    const done: Write[] = [];
    const failures: Failure[] = [];
    const queue = [...stage];
    const worker = async () => {
      for (let write = queue.shift(); write; write = queue.shift()) {
        const failure = await this.#one(write, signal);
        if (failure) failures.push(failure);
        else done.push(write);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    return { done, failures };
  }

  async #one(write: Write, signal: AbortSignal): Promise<Failure | undefined> {
    const subject = subjectOf(write);
    try {
      await this.#send(write, signal);
      this.#log.info({ verb: write.verb, object: subject, because: write.because }, 'object written');
      return undefined;
    } catch (error) {
      if (isAbort(error)) throw error;
      const failure = failureOf(write, error);
      this.#log.warn(
        { verb: write.verb, object: subject, why: failure.message },
        'object could not be written',
      );
      return failure;
    }
  }

  async #send(write: Write, signal: AbortSignal): Promise<void> {
    const address = write.verb === 'delete' ? write.live.kind : write.object.kind;
    const target = this.#resources.get(address.kind);
    if (!target) throw new Error(`no such kind: ${address.kind}`);
    const options = { fieldManager: NAME, signal };
    if (write.verb === 'delete') {
      const { name, namespace = '', uid } = write.live.metadata;
      await target.delete({ name, namespace }, { uid, signal });
      this.#overlay.deleted(write.live);
      return;
    }
    if (write.verb === 'create') {
      this.#overlay.wrote(await this.#create(target, write.object, options));
      return;
    }
    const { name, namespace = '', uid } = write.live.metadata;
    if (write.strip.length > 0) await stripping(target.jsonPatch({ name, namespace }, write.strip, options));
    this.#overlay.wrote(await target.apply(bodyOf(write.object, uid), { ...options, force: true }));
  }

  /**
   * Should somebody have made the object meanwhile, the answer is a conflict, and it is judged as theirs. Of Secrets we see only our
   * own: an apply could merge into a foreign one that happens to have no field of ours.
   */
  #create(target: Resource<LiveObject>, object: DesiredObject, o: WriteOptions & { fieldManager: string }) {
    if (object.kind.kind === 'Secret') return target.create(bodyOf(object), o);
    return target.apply(bodyOf(object), { ...o, force: false });
  }
}

/** Somebody else wrote first. */
class Moved extends Error {
  override readonly name = 'Moved';
}

/** A `test` that fails is answered like any other patch that cannot be processed. */
async function stripping(patch: Promise<unknown>): Promise<void> {
  try {
    await patch;
  } catch (e) {
    if (isInvalid(e)) throw new Moved('the object changed while it was judged', { cause: e });
    throw e;
  }
}

export function subjectOf(write: Write): string {
  return idOf(write.verb === 'delete' ? viewOf(write.live) : write.object);
}

function failureOf(write: Write, error: unknown): Failure {
  const secret = (write.verb === 'delete' ? write.live.kind : write.object.kind).kind === 'Secret';
  const text = error instanceof Error ? error.message : String(error);
  const status = error instanceof ApiError ? `status ${error.status} ${error.reason}`.trim() : 'no answer';
  const taken = 'a Secret of this name exists that Herald did not make';
  const message = secret ? (isAlreadyExists(error) ? taken : status) : text;
  if (isConflict(error) || error instanceof Moved) return { write, kind: 'moved', message };
  if (isForbidden(error)) return { write, kind: 'forbidden', message };
  const refused = error instanceof ApiError && [400, 413, 422].includes(error.status);
  return { write, kind: refused ? 'refused' : 'failed', message };
}
