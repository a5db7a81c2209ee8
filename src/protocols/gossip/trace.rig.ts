import { gunzipSync, gzipSync } from 'node:zlib';
import { seededRandom } from '../../platform/obs/random.ts';
import type { Endpoint } from './endpoint.ts';
import type { Change } from './events.ts';
import { PLAIN } from './machine.rig.ts';
import { Machine } from './machine.ts';
import type { Output } from './outbox.ts';
import { FAST, type Profile } from './profile.ts';

/** What a machine was told, as base64 where it is bytes. */
export type Input =
  | { readonly do: 'tick' }
  | { readonly do: 'join'; readonly at: readonly Endpoint[] }
  | { readonly do: 'packet'; readonly bytes: string; readonly from: Endpoint }
  | { readonly do: 'heard'; readonly stream: string; readonly bytes: string }
  | { readonly do: 'closed'; readonly stream: string };

/** One member of a real ring: all that it was told, when, and the changes that it saw. */
export interface Trace {
  readonly name: string;
  readonly at: Endpoint;
  /** Of its chance. */
  readonly seed: number;
  readonly begin: number;
  readonly inputs: readonly (Input & { readonly now: number })[];
  readonly changes: readonly { readonly now: number; readonly change: Change }[];
}

/** That of the recorded members, whose probes all came at the same interval: other times would be other events. */
const PROFILE: Profile = { ...FAST, probeRelief: 0 };

/** A machine as that of a trace, at its begin. */
export function machineOf({ name, at, seed, begin }: Pick<Trace, 'name' | 'at' | 'seed' | 'begin'>): Machine {
  return new Machine({ name, at, profile: PROFILE, wrapping: PLAIN, random: seededRandom(seed) }, begin);
}

export function feed(machine: Machine, now: number, input: Input): Output {
  const bytes = 'bytes' in input ? new Uint8Array(Buffer.from(input.bytes, 'base64')) : new Uint8Array();
  switch (input.do) {
    case 'tick':
      return machine.tick(now);
    case 'join':
      return machine.join(now, input.at);
    case 'packet':
      return machine.packet(now, bytes, input.from);
    case 'heard':
      return machine.heard(now, input.stream, bytes);
    case 'closed':
      return machine.closed(now, input.stream);
  }
}

/** Tells a new machine the same again; the changes that it sees. */
export function play(trace: Trace): Trace['changes'] {
  const machine = machineOf(trace);
  return trace.inputs.flatMap(({ now, ...input }) =>
    feed(machine, now, input).changes.map((change) => ({ now, change })),
  );
}

/** As text of lines, and back. */
export function packTrace(trace: Trace): string {
  const packed = gzipSync(JSON.stringify(trace), { level: 9 }).toString('base64');
  return packed.replace(/.{1,180}/g, '$&\n');
}

export function unpackTrace(text: string): Trace {
  return JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString());
}
