import type { RingState } from '../../../domain/election/nodes.ts';
import { type Notice, readNotice } from '../../../domain/election/notice.ts';
import { type Mount, type MountFiles, watchMount } from '../../../platform/files/mount.ts';
import type { Clock, Timer } from '../../../platform/obs/clock.ts';
import type { Log } from '../../../platform/obs/log.ts';
import type { Metrics } from '../../../platform/obs/metrics.ts';
import type { Random } from '../../../platform/obs/random.ts';
import type { Change } from '../../../protocols/gossip/events.ts';
import type { SpeakerOptions } from '../options.ts';
import { isDecisive, Membership } from './membership.ts';

const LOG = {
  failed: 'cannot take part in the ring of speakers, trying again; the API server alone says who lives',
  nameTaken: 'another speaker has the name of this node, taking no part while it is there',
  noSecret: 'the key of the ring is missing, waiting for it; the API server alone says who lives',
} as const;

/** Upstream's name of the key within the Secret. */
const SECRET_FILE = 'secretkey';
/** Nobody waits longer to hear from the others: they may be gone. */
const JOIN_MS = 1_000;
/** Another process may still hold the port. */
const AGAIN_MS = 5_000;
/** Another speaker may still have the name of this node; the others give it away so long after that one died. */
const REFUSED_MS = 10_000;

/** `late`: the other one was there first, and this one takes no part while it is. */
export type Conflict = Extract<Change, { type: 'conflict' }> & { readonly late: boolean };

export interface SpeakerRingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly options: SpeakerOptions;
  /** Addresses of the other nodes' speakers. */
  readonly expected: () => readonly string[];
  /** Who takes part changed. */
  readonly onChange: () => void;
  /** Another process claims the name of this node. */
  readonly onConflict: (claim: Conflict) => void;
  /** One that was held dead takes part again, be it this one. */
  readonly onReturn: () => void;
}

/** This speaker's place in the ring: none when it is not configured, and kept trying for while it cannot be had. */
export class SpeakerRing {
  readonly #o: SpeakerRingOptions;
  readonly #metrics: ReturnType<typeof ringMetrics> | undefined;
  #membership: Membership | undefined;
  #starting: Promise<void> | undefined;
  #mount: Mount | undefined;
  #again: Timer | undefined;
  #open = true;
  #meta: Uint8Array = new Uint8Array();
  #aside = false;
  /** The others were heard, or are not there to be heard. */
  #settled = false;
  #settling: Timer | undefined;
  #refused = false;
  readonly #joined = Promise.withResolvers<void>();
  /** Members that died, until they return or are forgotten. */
  readonly #dead = new Set<string>();
  readonly #notices = new WeakMap<Uint8Array, Notice | 'none'>();

  constructor(o: SpeakerRingOptions) {
    this.#o = o;
    if (o.options.ring) this.#metrics = ringMetrics(o.metrics);
  }

  /** Undefined, too, while this speaker takes no part. Until the others may know that it does, it counts as gone. */
  state(node: string): RingState | undefined {
    if (this.#settled) return this.#membership?.state(node);
    return this.#o.options.ring && node === this.#o.options.node ? 'left' : undefined;
  }

  /** Another speaker has the name of this node, and was there first. This one counts as gone. */
  get refused(): boolean {
    return this.#refused;
  }

  /** What a node's speaker says about it, our own included; undefined: nothing, or it is none of Herald's. */
  notice(node: string): Notice | undefined {
    const meta = this.#membership?.member(node)?.meta;
    if (!meta) return undefined;
    const known = this.#notices.get(meta) ?? readNotice(meta) ?? 'none';
    this.#notices.set(meta, known);
    return known === 'none' ? undefined : known;
  }

  /** Nodes whose speakers take part, this one among them. */
  live(): readonly string[] {
    const names = (this.#membership?.members() ?? []).map(({ name }) => name);
    return names.filter((name) => this.state(name) === 'member');
  }

  /** MACs at which live speakers hear nobody any more, and who says so. */
  accused(): ReadonlyMap<string, readonly string[]> {
    const all = new Map<string, readonly string[]>();
    for (const name of this.live())
      for (const mac of this.notice(name)?.unheard ?? []) all.set(mac, [...(all.get(mac) ?? []), name]);
    return all;
  }

  /** Says something about this node. `aside`: it takes no part, so that speakers that do not understand it take over, too. */
  describe(meta: Uint8Array, aside: boolean): void {
    if (!this.#open) return;
    const before = this.#aside;
    this.#meta = meta;
    this.#aside = aside;
    this.#membership?.describe(meta);
    if (aside && !before) this.#membership?.stepAside();
    if (!aside && before) this.#membership?.comeBack();
  }

  /** Once the speaker can take addresses over. */
  start(): void {
    const { options, clock, log } = this.#o;
    const dir = options.ring?.secretDir;
    if (!options.ring || !this.#open) return;
    if (dir === undefined) this.#take(new Uint8Array());
    else this.#mount = watchMount({ dir, clock, log, onChange: (files) => this.#takeSecret(files) });
  }

  /** Resolves when the others were heard, or nobody is there to be heard within a second. */
  async joined(): Promise<void> {
    const { options, expected, clock } = this.#o;
    if (!options.ring) return;
    if (expected().length === 0) this.#settle();
    const timer = clock.after(JOIN_MS, () => this.#settle());
    await this.#joined.promise;
    timer.cancel();
  }

  /** There may be speakers that are no members yet. */
  join(): void {
    this.#membership?.join();
  }

  /** Says farewell; resolves when the others know, or after a second. */
  async leave(): Promise<void> {
    this.#open = false;
    this.#joined.resolve();
    this.#again?.cancel();
    await this.#starting;
    await this.#membership?.leave();
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#again?.cancel();
    this.#settling?.cancel();
    await this.#mount?.close();
    await this.#starting;
    await this.#membership?.close();
  }

  #takeSecret(files: MountFiles): void {
    const secret = files.get(SECRET_FILE);
    if (secret === undefined || secret === '') this.#o.log.error({ op: 'ring' }, LOG.noSecret);
    else this.#take(new TextEncoder().encode(secret));
  }

  #take(secret: Uint8Array): void {
    this.#again?.cancel();
    if (this.#membership) this.#membership.rotate(secret);
    else this.#starting = this.#begin(secret);
  }

  async #begin(secret: Uint8Array): Promise<void> {
    const { options, clock, random, log, expected, onChange } = this.#o;
    if (!options.ring || !this.#open) return;
    this.#refused = false;
    const { address, port, profile } = options.ring;
    try {
      this.#membership = await Membership.start({
        clock,
        random,
        log,
        name: options.node,
        at: { address, port },
        profile,
        meta: this.#meta,
        secret,
        expected,
        onDrop: (reason) => this.#metrics?.drops.inc({ reason }),
        onChange: (changes) => {
          for (const { type } of changes) this.#metrics?.changes.inc({ type });
          if (this.#lookForRival(changes) === 'late') this.#starting = this.#stepBack(secret);
          else this.#lookForMembers(changes);
          this.#count();
          if (changes.some(isDecisive)) onChange();
        },
      });
      if (expected().length === 0) this.#settle();
      else this.#settling = clock.after(JOIN_MS, () => this.#settle());
      this.describe(this.#meta, this.#aside);
      if (this.#aside) this.#membership.stepAside();
      this.#count();
      onChange();
    } catch (error) {
      log.error({ op: 'ring', error, address, port }, LOG.failed);
      this.#again = clock.after(AGAIN_MS, () => this.#take(secret));
    }
  }

  /** Whoever hears of the other one before it takes part came later: nobody else will know this one by that name. */
  #lookForRival(changes: readonly Change[]): 'late' | 'none' {
    for (const change of changes) {
      if (change.type !== 'conflict' || change.name !== this.#o.options.node) continue;
      this.#o.onConflict({ ...change, late: !this.#settled });
      if (!this.#settled) return 'late';
    }
    return 'none';
  }

  /** Without a farewell, which the others would take for that of the other one. */
  async #stepBack(secret: Uint8Array): Promise<void> {
    const { log, clock } = this.#o;
    const membership = this.#membership;
    this.#membership = undefined;
    this.#refused = true;
    this.#settling?.cancel();
    log.error({ op: 'ring' }, LOG.nameTaken);
    await membership?.close();
    if (this.#open) this.#again = clock.after(REFUSED_MS, () => this.#take(secret));
  }

  #lookForMembers(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.type === 'joined') this.#settle();
      if (change.type === 'died') this.#dead.add(change.name);
      const returned = change.type === 'joined' && this.#dead.delete(change.name);
      if (returned || change.type === 'held-dead') this.#o.onReturn();
      if (change.type === 'forgotten') this.#dead.delete(change.name);
    }
  }

  #settle(): void {
    this.#settling?.cancel();
    if (this.#settled || this.#refused) return;
    this.#settled = true;
    this.#joined.resolve();
    this.#o.onChange();
  }

  #count(): void {
    const members = this.#membership?.members() ?? [];
    const live = members.filter(({ name }) => this.#membership?.state(name) === 'member');
    this.#metrics?.members.set({}, live.length);
  }
}

function ringMetrics(metrics: Metrics) {
  return {
    members: metrics.gauge({
      name: 'herald_speaker_ring_members',
      help: 'Speakers that take part in the ring as this one sees it, itself among them.',
    }),
    changes: metrics.counter({
      name: 'herald_speaker_ring_changes_total',
      help: 'Changes of the ring as this speaker saw them, by type.',
      labels: ['type'],
    }),
    drops: metrics.counter({
      name: 'herald_speaker_ring_dropped_total',
      help: 'Packets and streams of the ring that were left out, by reason; wrong keys and labels are among them.',
      labels: ['reason'],
    }),
  };
}
