/**
 * `member.ts NAME ADDRESS PEERS FILE`: a member of a ring on real sockets, in the clear, that writes down all that its machine is
 * told, with the times, and what it saw change; in the end (SIGTERM) into FILE, as JSON (`Trace`).
 */
import { writeFileSync } from 'node:fs';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { Transport } from '../../src/platform/ring/transport.ts';
import { MAX_STREAMS, STREAM_TIMEOUT_MS } from '../../src/protocols/gossip/machine.ts';
import { feed, type Input, machineOf, type Trace } from '../../src/protocols/gossip/trace.rig.ts';

const PORT = 7946;
const [name = '', address = '', peers = '', file = ''] = process.argv.slice(2);
/** Whole microseconds: short, and the same for the machine and the record. */
const clock = () => Math.round(systemClock.now() * 1_000) / 1_000;
const about = { name, at: { address, port: PORT }, seed: 1, begin: clock() };
const machine = machineOf(about);
const inputs: Trace['inputs'][number][] = [];
const changes: Trace['changes'][number][] = [];
let timer: { cancel(): void } | undefined;

function take(input: Input): void {
  const now = clock();
  inputs.push({ now, ...input });
  const out = feed(machine, now, input);
  for (const change of out.changes) changes.push({ now, change });
  for (const { to, bytes } of out.packets) transport.send(to, bytes);
  for (const { stream, to, bytes, deadline } of out.dials)
    transport.dial(stream, to, { bytes, timeoutMs: deadline - now });
  for (const { stream, bytes } of out.replies) transport.reply(stream, bytes);
  for (const stream of out.hangUps) transport.hangUp(stream);
  timer?.cancel();
  timer = systemClock.after(Math.ceil(out.wake - now) + 1, () => take({ do: 'tick' }));
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const transport = await Transport.open({
  at: about.at,
  clock: systemClock,
  streamTimeoutMs: STREAM_TIMEOUT_MS,
  maxStreams: MAX_STREAMS,
  onPacket: (bytes, from) => take({ do: 'packet', bytes: text(bytes), from }),
  onStream: (stream, bytes) => take({ do: 'heard', stream, bytes: text(bytes) }),
  onClosed: (stream) => take({ do: 'closed', stream }),
  onTrouble: (error) => console.error(error.message),
});
process.on('SIGTERM', () => {
  const trace: Trace = { ...about, inputs, changes };
  writeFileSync(file, JSON.stringify(trace));
  process.exit(0);
});
take({ do: 'join', at: peers.split(',').map((peer) => ({ address: peer, port: PORT })) });
console.log('ready');
