import { isAbort } from '../../platform/obs/clock.ts';
import { giveOver } from './end.ts';
import { LOG } from './events.ts';
import type { SpeakerOptions } from './options.ts';
import { decisive } from './sources.ts';
import { proveSockets, takeOver } from './start.ts';
import { type SpeakerParts, Wiring } from './wiring.ts';

/** One node's speaker, from its start to its end. */
export class Speaker {
  readonly #parts: SpeakerParts;
  readonly #options: SpeakerOptions;
  readonly #wiring: Wiring;
  readonly #ending = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  #beginning: Promise<void> | undefined;
  #ready = false;

  /** Proves that sockets work here, then starts. Rejects with LinuxError when they do not, for instance without CAP_NET_RAW. */
  static async start(parts: SpeakerParts, options: SpeakerOptions): Promise<Speaker> {
    await proveSockets(parts.sockets, parts.clock);
    const speaker = new Speaker(parts, options);
    // Excluded interfaces must be known before any is answered on.
    await speaker.#wiring.settings.start();
    speaker.#beginning = speaker.#begin();
    return speaker;
  }

  private constructor(parts: SpeakerParts, options: SpeakerOptions) {
    // Whoever looks at it later still sees it; nobody looking is no crash.
    this.#failed.promise.catch(() => {});
    this.#parts = parts;
    this.#options = options;
    this.#wiring = new Wiring(parts, options);
  }

  /** Rejects when the speaker cannot begin and never will; a new process may. Resolves never. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** `true`, or what is still missing. Stays true while the API server is away. */
  get ready(): true | string {
    const { layer2, ring, sources } = this.#wiring;
    if (this.#ending.signal.aborted) return 'stopping';
    // Without a ring nobody else could know.
    if (!this.#options.ring && layer2.nowhere) return 'no interface is left to answer on';
    if (this.#ready) return true;
    if (ring.refused) return 'another speaker has the name of this node';
    const missing = decisive(sources).filter(([, source]) => !source.synced);
    const names = missing.map(([name, { state }]) => `${name} (${state.phase})`);
    return names.length > 0 ? `waiting for ${names.join(', ')}` : 'deciding about the services';
  }

  /** Ends in order: not ready; its addresses given over; all closed. */
  async close(): Promise<void> {
    const { log, clock } = this.#parts;
    log.info({ op: 'stop', addresses: this.#wiring.layer2.announcer.size }, LOG.stopping);
    this.#ending.abort();
    await giveOver(this.#wiring, clock);
    await Promise.all([this.#beginning, this.#wiring.close()]);
    log.info({ op: 'stop' }, LOG.stopped);
  }

  async #begin(): Promise<void> {
    const { log, clock } = this.#parts;
    const { layer2, reports } = this.#wiring;
    try {
      await takeOver(this.#wiring, { clock, signal: this.#ending.signal });
      // A rolling update may go on to the next node without moving anything twice.
      this.#ready = true;
      log.info({ op: 'start', addresses: layer2.announcer.size }, LOG.started);
      reports.start();
      layer2.watch();
    } catch (error) {
      if (!isAbort(error)) this.#failed.reject(error);
    }
  }
}
