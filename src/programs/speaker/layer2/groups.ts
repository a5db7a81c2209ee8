import { LinuxError } from '../../../platform/linux/errors.ts';
import { Multicast } from '../../../platform/linux/multicast.ts';
import type { Sockets } from '../../../platform/linux/sockets.ts';
import type { Clock, Timer } from '../../../platform/obs/clock.ts';
import type { Announcement } from '../../../protocols/layer2/announced.ts';
import { Groups } from '../../../protocols/ndp/groups.ts';

/** Joins and leaves in one go, at most 6 ms with 10,000 groups; between two goes the loop answers questions. */
const BATCH = 32;
/** Pause before groups that could not be joined are tried again. */
const RETRY_MS = 5_000;

export interface GroupMembershipOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly index: number;
  /** A group was not joined. Without an error its frames are at least let through, if the switch sends them here. */
  readonly onTrouble: (error: LinuxError | undefined) => void;
}

/** Keeps one interface in the solicited-node groups of the addresses that are answered for there. */
export class GroupMembership {
  readonly #o: GroupMembershipOptions;
  readonly #groups = new Groups();
  readonly #multicast: Multicast;
  #failed: Uint8Array[] = [];
  #timer: Timer | undefined;
  #retry: Timer | undefined;

  constructor(o: GroupMembershipOptions) {
    this.#o = o;
    this.#multicast = new Multicast(o);
  }

  /** Whether the address is answered for on this interface. */
  set({ bytes, text }: Announcement, wanted: boolean): void {
    this.#groups.set(bytes, text, wanted);
    this.#schedule();
  }

  close(): void {
    this.#timer?.cancel();
    this.#retry?.cancel();
    this.#multicast.close();
  }

  #schedule(): void {
    if (this.#groups.pending === 0) return;
    this.#timer ??= this.#o.clock.after(0, () => {
      this.#timer = undefined;
      this.#carryOut();
      this.#schedule();
    });
  }

  #carryOut(): void {
    const { join, leave } = this.#groups.take(BATCH);
    for (const group of leave) this.#multicast.leave(group);
    for (const group of join) this.#join(group);
  }

  #join(group: Uint8Array): void {
    try {
      if (this.#multicast.join(group) === 'heard') this.#o.onTrouble(undefined);
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      this.#failed.push(group);
      this.#retry ??= this.#o.clock.after(RETRY_MS, () => this.#tryAgain());
      this.#o.onTrouble(error);
    }
  }

  #tryAgain(): void {
    this.#retry = undefined;
    for (const group of this.#failed.splice(0)) this.#groups.failed(group);
    this.#schedule();
  }
}
