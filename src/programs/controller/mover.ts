import type { MoveState } from '../../domain/ipam/converge.ts';
import type { Ledger } from '../../domain/ipam/ledger.ts';
import { begin, companions, follows, leavers } from '../../domain/ipam/move.ts';
import { type Stay, stayText } from '../../domain/ipam/reasons.ts';
import { moves } from '../../domain/ipam/transit.ts';
import type { Want } from '../../domain/ipam/want.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Doors } from './doors.ts';
import type { ControllerMetrics } from './metrics.ts';

/** Changes within this time make one look at who moves next. */
const GATHER_MS = 100;
const LOOK = 'moves';

export interface MoveOptions {
  /** How long a Service shows old and new address together, milliseconds. */
  readonly overlapMs: number;
  /** Services on their way at once; those that share an address count as one. */
  readonly atOnce: number;
}

interface MoverOptions extends MoveOptions {
  readonly doors: Doors;
  readonly metrics: ControllerMetrics;
  readonly ledger: () => Ledger | undefined;
  readonly wantOf: (key: string) => Want | undefined;
  /** Has the Service decided again. */
  readonly again: (key: string) => void;
}

/**
 * The pace of moves: who goes next, and how long both addresses are shown. What is under way stands in the ledger, and in the
 * statuses for whoever leads next; a new leader only waits the overlap once more.
 */
export class Mover {
  readonly #o: MoverOptions;
  readonly #queue: Queue;
  /** Since when the status shows both, milliseconds of the clock. */
  readonly #shown = new Map<string, number>();
  readonly #stays = new Map<string, Stay>();

  constructor(o: MoverOptions) {
    this.#o = o;
    const { clock, random, log } = o.doors;
    this.#queue = new Queue({ run: async () => this.#run(), clock, random, log: log.child({ op: 'move' }) });
    this.#queue.start();
  }

  /** Ranges may move, or there may be room, that did not before. */
  look(): void {
    const pools = this.#o.ledger()?.config.pools.values();
    const concerned = this.#shown.size + this.#stays.size > 0 || pools?.some((pool) => pool.moving);
    if (concerned) this.#queue.addAfter(LOOK, GATHER_MS);
  }

  /** The status of the Service is what was decided. */
  passed(key: string): void {
    const moving = this.#o.ledger()?.claimOf(key)?.next !== undefined;
    if (!moving) this.#shown.delete(key);
    else if (!this.#shown.has(key)) this.#shown.set(key, this.#o.doors.clock.now());
    this.look();
  }

  stateOf(key: string): MoveState {
    const ledger = this.#o.ledger();
    if (!ledger) return {};
    if (this.#shown.has(key)) return { overlapped: this.#dueIn(ledger, key) <= 0 };
    const stay = this.#stays.get(key);
    if (!stay) return {};
    const claim = ledger.claimOf(key);
    return claim?.addresses.some((address) => moves(ledger.config, address)) ? { stay } : {};
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  /** Milliseconds until the Service, and those that move with it, have shown both for long enough. */
  #dueIn(ledger: Ledger, key: string): number {
    const since = companions(ledger, key).map(
      (member) => this.#shown.get(member) ?? Number.POSITIVE_INFINITY,
    );
    return Math.max(...since) + this.#o.overlapMs - this.#o.doors.clock.now();
  }

  #run(): void {
    const ledger = this.#o.ledger();
    if (!ledger) return;
    const underWay = this.#finish(ledger);
    const leaving = new Set(leavers(ledger));
    for (const key of this.#stays.keys()) if (!leaving.has(key)) this.#stays.delete(key);
    for (const key of leaving) {
      if (underWay.size >= this.#o.atOnce && !follows(ledger, key)) continue;
      if (ledger.claimOf(key)?.next) continue;
      const begun = begin(ledger, key, this.#o.wantOf);
      if ('stay' in begun) {
        this.#stay(key, begun);
        continue;
      }
      underWay.add(begun.toSorted()[0] ?? key);
      for (const member of begun) {
        this.#stays.delete(member);
        this.#o.again(member);
      }
    }
    this.#o.metrics.movesUnderWay.set({}, underWay.size);
    this.#o.metrics.movesHeld.set({}, this.#stays.size);
  }

  /** Ends moves whose time has come, and waits for the others; one key of each group that is under way. */
  #finish(ledger: Ledger): Set<string> {
    const underWay = new Set<string>();
    for (const [key, claim] of ledger.claims()) {
      if (!claim.next) continue;
      underWay.add(companions(ledger, key).toSorted()[0] ?? key);
      const due = this.#dueIn(ledger, key);
      if (due <= 0) this.#o.again(key);
      else if (Number.isFinite(due)) this.#queue.addAfter(LOOK, due);
    }
    return underWay;
  }

  #stay(key: string, stay: Stay): void {
    const before = this.#stays.get(key);
    this.#stays.set(key, stay);
    if (!before || stayText(before) !== stayText(stay)) this.#o.again(key);
  }
}
