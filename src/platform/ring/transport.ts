import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../obs/clock.ts';

/** One port, for packets and streams alike. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Whoever dials names the stream; those that are accepted are named here, `accepted 1` and so on. */
export type StreamId = string;

export interface TransportOptions {
  /** Port 0: one that is free. */
  readonly at: Endpoint;
  readonly clock: Clock;
  /** Accepted streams are closed after so long. */
  readonly streamTimeoutMs: number;
  /** The most that are accepted at a time; more are closed at once. */
  readonly maxStreams: number;
  /** The bytes are only good until the call returns. */
  readonly onPacket: (bytes: Uint8Array, from: Endpoint) => void;
  readonly onStream: (stream: StreamId, bytes: Uint8Array) => void;
  /** Once for each stream, whoever ended it. */
  readonly onClosed: (stream: StreamId) => void;
  /** A packet could not be sent, or a socket is broken; it may work again later. */
  readonly onTrouble: (error: Error) => void;
}

/** Packets of many members at once wait here; the kernel cuts it to net.core.rmem_max. */
const RECEIVE_BUFFER = 4 << 20;
/** Tries to find one port that is free for both protocols. */
const TRIES = 10;

/**
 * Members are known by their addresses. Node would look each of them up as if it were a name, a turn of the loop later. It asks for
 * the family of its socket, and looks at that of the answer no more.
 */
function asItIs(address: string, family: unknown, done: LookupDone): void {
  done(null, address, family === 6 ? 6 : 4);
}
type LookupDone = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** UDP and TCP on one port, as a member of a ring needs them. */
export class Transport {
  readonly #o: TransportOptions;
  readonly #datagrams: Datagrams;
  readonly #server: Server;
  readonly #streams = new Map<StreamId, { socket: Socket; timer: Timer }>();
  #accepted = 0;
  #open = true;
  /** One for all packets. */
  readonly #sent = (error: Error | null): void => {
    if (error && this.#open) this.#o.onTrouble(error);
  };

  /** Rejects when the address or port cannot be had. */
  static async open(o: TransportOptions): Promise<Transport> {
    for (let tries = 1; ; tries++) {
      const transport = new Transport(o);
      try {
        await transport.#listen();
        return transport;
      } catch (error) {
        await transport.close();
        // The free port that TCP found may be taken for UDP.
        if (o.at.port !== 0 || tries === TRIES) throw error;
      }
    }
  }

  private constructor(o: TransportOptions) {
    this.#o = o;
    const type = isIPv6(o.at.address) ? 'udp6' : 'udp4';
    this.#datagrams = createSocket({ type, recvBufferSize: RECEIVE_BUFFER, lookup: asItIs });
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  get at(): Endpoint {
    return { address: this.#o.at.address, port: this.#datagrams.address().port };
  }

  /** Best effort, as UDP is. */
  send(to: Endpoint, bytes: Uint8Array): void {
    if (!this.#open) return;
    this.#datagrams.send(bytes, to.port, to.address, this.#sent);
  }

  /** Opens a stream, writes the bytes and hears what comes back, for at most `timeoutMs`. */
  dial(stream: StreamId, to: Endpoint, o: { bytes: Uint8Array; timeoutMs: number }): void {
    if (!this.#open) return;
    const socket = connect({ host: to.address, port: to.port, noDelay: true });
    this.#keep(stream, socket, o.timeoutMs);
    socket.write(o.bytes);
  }

  reply(stream: StreamId, bytes: Uint8Array): void {
    this.#streams.get(stream)?.socket.write(bytes);
  }

  /** Closes a stream once all is written. */
  hangUp(stream: StreamId): void {
    this.#streams.get(stream)?.socket.end();
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    for (const { socket, timer } of this.#streams.values()) {
      timer.cancel();
      socket.destroy();
    }
    const closed = Promise.all([
      new Promise<void>((resolve) => this.#datagrams.close(resolve)),
      new Promise<void>((resolve) => this.#server.close(() => resolve())),
    ]);
    await closed;
  }

  async #listen(): Promise<void> {
    const { at, onPacket, onTrouble } = this.#o;
    this.#server.listen(at.port, at.address);
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    const port = typeof bound === 'object' && bound ? bound.port : at.port;
    // Before bind, which is done when it returns.
    const listening = once(this.#datagrams, 'listening');
    this.#datagrams.bind({ port, address: at.address, exclusive: true });
    await listening;
    this.#server.on('error', onTrouble);
    this.#datagrams.on('error', onTrouble);
    this.#datagrams.on('message', (bytes, from) => {
      if (this.#open) onPacket(bytes, { address: from.address, port: from.port });
    });
  }

  #accept(socket: Socket): void {
    if (this.#streams.size >= this.#o.maxStreams) socket.destroy();
    else this.#keep(`accepted ${++this.#accepted}`, socket, this.#o.streamTimeoutMs);
  }

  #keep(stream: StreamId, socket: Socket, timeoutMs: number): void {
    const timer = this.#o.clock.after(timeoutMs, () => socket.destroy());
    this.#streams.set(stream, { socket, timer });
    socket.on('data', (bytes: Buffer) => {
      if (this.#open) this.#o.onStream(stream, bytes);
    });
    // Refused and reset are what a crash looks like: the end that follows says enough.
    socket.on('error', () => {});
    socket.on('close', () => {
      timer.cancel();
      this.#streams.delete(stream);
      if (this.#open) this.#o.onClosed(stream);
    });
  }
}
