/** A ring in virtual time: machines, a network that loses, delays and cuts, processes that stand still, crash and come back. */
import { seededRandom } from '../../platform/obs/random.ts';
import { type Endpoint, endpointText } from './endpoint.ts';
import type { Change } from './events.ts';
import { Keyring } from './keyring.ts';
import { Machine } from './machine.ts';
import type { Output } from './outbox.ts';
import type { Wrapping } from './packet.ts';
import { FAST, type Profile } from './profile.ts';
import type { State } from './stream.ts';

export interface RingOptions {
  readonly members: number;
  readonly seed: number;
  readonly profile?: Profile;
  /** Share of packets that are lost. */
  readonly loss?: number;
  /** One way, between least and most. */
  readonly delayMs?: readonly [number, number];
  /** Each process stands still for 100 to `ms`, and does so once in `everyMs` on average. */
  readonly stalls?: { readonly ms: number; readonly everyMs: number };
}

export interface Told {
  readonly at: number;
  readonly by: string;
  readonly change: Change;
}

interface Process {
  readonly name: string;
  readonly at: Endpoint;
  machine: Machine | undefined;
  stillUntil: number;
  /** What came in while it stood still. */
  inbox: (() => void)[];
  /** Invalidates timers of an earlier wake-up or an earlier life. */
  timer: number;
  life: number;
}

const PLAIN: Wrapping = {
  label: '',
  keyring: new Keyring({ seal: (_, plain) => plain, open: (_, sealed) => sealed }),
};

export class Ring {
  now = 0;
  readonly told: Told[] = [];
  packets = 0;
  /** Whether packets and streams get from one to the other. */
  reaches: (from: string, to: string) => boolean = () => true;
  /** Sees each packet that is sent. */
  tap: (packet: Uint8Array) => void = () => {};
  readonly #o: Required<Omit<RingOptions, 'stalls'>> & Pick<RingOptions, 'stalls'>;
  readonly #random: { next(): number };
  readonly #events = new Heap();
  readonly #processes = new Map<string, Process>();
  readonly #byEndpoint = new Map<string, Process>();
  #streams = 0;

  constructor(o: RingOptions) {
    this.#o = { profile: FAST, loss: 0, delayMs: [0.2, 1], ...o };
    this.#random = seededRandom(o.seed);
    for (let i = 0; i < o.members; i++) {
      const at = { address: `10.0.${i >> 8}.${i & 255}`, port: 7946 };
      const process = { name: `n${i}`, at, machine: undefined, stillUntil: 0, inbox: [], timer: 0, life: 0 };
      this.#processes.set(process.name, process);
      this.#byEndpoint.set(endpointText(at), process);
    }
    for (const name of this.names) this.start(name);
    if (o.stalls) for (const name of this.names) this.#stallLater(name, o.stalls);
  }

  get names(): readonly string[] {
    return [...this.#processes.keys()];
  }

  /** Those that run; standing still counts as running. */
  get running(): readonly string[] {
    return this.names.filter((name) => this.#process(name).machine);
  }

  machine(name: string): Machine {
    const { machine } = this.#process(name);
    if (!machine) throw new Error(`${name} does not run`);
    return machine;
  }

  /** What `by` believes about `of`. */
  view(by: string, of: string): State | undefined {
    return this.machine(by)
      .members()
      .find(({ name }) => name === of)?.state;
  }

  /** A process begins, or begins again without a memory, and joins the first two others that run. */
  start(name: string): void {
    const process = this.#process(name);
    const { profile } = this.#o;
    process.life++;
    process.stillUntil = 0;
    process.inbox = [];
    const settings = { name, at: process.at, profile, wrapping: PLAIN, random: this.#random };
    process.machine = new Machine(settings, this.now);
    const others = this.running.filter((other) => other !== name).slice(0, 2);
    this.#do(process, (m) =>
      m.join(
        this.now,
        others.map((other) => this.#process(other).at),
      ),
    );
  }

  /** It is gone at once. `silent`: nobody refuses streams either, as when the node lost its power. */
  crash(name: string): void {
    const process = this.#process(name);
    process.machine = undefined;
    process.life++;
    process.inbox = [];
  }

  stall(name: string, ms: number): void {
    const process = this.#process(name);
    const until = this.now + ms;
    if (!process.machine || until <= process.stillUntil) return;
    process.stillUntil = until;
    this.#events.add(until, () => {
      if (process.stillUntil !== until || !process.machine) return;
      const { inbox } = process;
      process.inbox = [];
      // Timers first, as Node's event loop has it.
      this.#do(process, (m) => m.tick(this.now));
      for (const each of inbox) each();
    });
  }

  still(name: string): boolean {
    return this.now < this.#process(name).stillUntil;
  }

  leave(name: string): void {
    this.#do(this.#process(name), (m) => m.leave(this.now));
  }

  join(name: string, other: string): void {
    this.#do(this.#process(name), (m) => m.join(this.now, [this.#process(other).at]));
  }

  /** Hands a packet to a member as if it came from outside. */
  inject(to: string, bytes: Uint8Array): void {
    const process = this.#process(to);
    this.#do(process, (m) => m.packet(this.now, bytes, { address: '10.9.9.9', port: 1 }));
  }

  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Until `done` holds; how long that took, or Infinity when it did not within `mostMs`. */
  runUntil(done: () => boolean, mostMs: number): number {
    const begin = this.now;
    const end = begin + mostMs;
    // Looked at each millisecond: views change with each packet.
    let look = begin;
    for (;;) {
      if (this.now >= look) {
        if (done()) return this.now - begin;
        look = this.now + 1;
      }
      const next = this.#events.pop(end);
      if (!next) break;
      this.now = next.at;
      next.run();
    }
    this.now = end;
    return done() ? mostMs : Number.POSITIVE_INFINITY;
  }

  /** Changes of one type since a time, besides those about `except`. */
  changes(type: Change['type'], o: { since?: number; except?: readonly string[] } = {}): Told[] {
    return this.told.filter(
      ({ at, change }) =>
        change.type === type &&
        at >= (o.since ?? 0) &&
        !('name' in change && o.except?.includes(change.name)),
    );
  }

  /** Whether all that run hold exactly those that run for alive. */
  get agreed(): boolean {
    const running = this.running;
    return running.every((by) => {
      const live = this.machine(by)
        .members()
        .filter(({ state }) => state === 'alive');
      return live.length === running.length && live.every(({ name }) => this.#process(name).machine);
    });
  }

  #process(name: string): Process {
    const process = this.#processes.get(name);
    if (!process) throw new Error(name);
    return process;
  }

  #stallLater(name: string, stalls: NonNullable<RingOptions['stalls']>): void {
    const wait = -Math.log(1 - this.#random.next()) * stalls.everyMs;
    this.#events.add(this.now + wait, () => {
      const ms = 100 + this.#random.next() * (stalls.ms - 100);
      this.stall(name, ms);
      this.#events.add(this.now + ms, () => this.#stallLater(name, stalls));
    });
  }

  #do(process: Process, event: (machine: Machine) => Output): void {
    const { machine, life } = process;
    if (!machine) return;
    const out = event(machine);
    for (const change of out.changes) this.told.push({ at: this.now, by: process.name, change });
    for (const { to, bytes } of out.packets) {
      this.packets++;
      this.tap(bytes);
      if (this.#random.next() < this.#o.loss) continue;
      this.#deliver(process, to, (m) => m.packet(this.now, bytes, process.at));
    }
    for (const { stream, to, bytes, deadline } of out.dials) {
      this.#call(process, to, { stream, bytes, life });
      this.#events.add(
        deadline,
        () => process.life === life && this.#do(process, (m) => m.closed(this.now, stream)),
      );
    }
    for (const { stream, bytes } of out.replies) this.#answers.get(stream)?.(bytes);
    const timer = ++process.timer;
    this.#events.add(Math.max(out.wake, process.stillUntil), () => {
      if (process.timer === timer && process.life === life) this.#receive(process, (m) => m.tick(this.now));
    });
  }

  readonly #answers = new Map<string, (bytes: Uint8Array) => void>();

  /** A stream: what is lost of it comes later, in 200 ms steps. */
  #call(from: Process, to: Endpoint, o: { stream: string; bytes: Uint8Array; life: number }): void {
    const accepted = `accepted ${++this.#streams}`;
    const later = () => (this.#random.next() < 2 * this.#o.loss ? 200 : 0);
    this.#answers.set(accepted, (bytes) => {
      const other = this.#byEndpoint.get(endpointText(to));
      if (!other) return;
      this.#deliver(other, from.at, (m) => m.heard(this.now, o.stream, bytes), later());
    });
    this.#deliver(from, to, (m) => m.heard(this.now, accepted, o.bytes), later());
  }

  #deliver(from: Process, to: Endpoint, event: (machine: Machine) => Output, more = 0): void {
    const process = this.#byEndpoint.get(endpointText(to));
    if (!process || !this.reaches(from.name, process.name)) return;
    const [least, most] = this.#o.delayMs;
    const { life } = process;
    const at = this.now + more + least + this.#random.next() * (most - least);
    this.#events.add(at, () => process.life === life && this.#receive(process, event));
  }

  #receive(process: Process, event: (machine: Machine) => Output): void {
    if (this.now < process.stillUntil) process.inbox.push(() => this.#do(process, event));
    else this.#do(process, event);
  }
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => unknown;
}

/** Events by time, those of the same time in the order of their making. */
class Heap {
  readonly #all: Event[] = [];
  #order = 0;

  add(at: number, run: () => unknown): void {
    if (at === Number.POSITIVE_INFINITY) return;
    const all = this.#all;
    const event = { at, order: this.#order++, run };
    let i = all.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = all[parent];
      if (!above || !before(event, above)) break;
      all[i] = above;
      i = parent;
    }
    all[i] = event;
  }

  /** The first one, unless it is later than `end`. */
  pop(end: number): Event | undefined {
    const all = this.#all;
    const [first] = all;
    if (!first || first.at > end) return undefined;
    const last = all.pop();
    if (!last || all.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const [left, right] = [all[child], all[child + 1]];
      if (!left) break;
      const least = right && before(right, left) ? right : left;
      if (least === right) child++;
      if (!before(least, last)) break;
      all[i] = least;
      i = child;
    }
    all[i] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
