/**
 * `relay.ts LINK OTHER MS`: carries every frame that comes in on one interface to the other one, `MS` milliseconds later, both ways.
 * Frames keep the kernel's notes about checksums and sizes (virtio_net_hdr), which it fills in only where they leave for good.
 */
import { readFileSync } from 'node:fs';
import { libcSockets } from '../../src/platform/linux/libc.ts';
import { AF_PACKET, SOCK_RAW } from '../../src/platform/linux/sockets.ts';

const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
/** Frames that this machine itself sends on the interface are none that came in. */
const PACKET_IGNORE_OUTGOING = 23;
const ETH_P_ALL = 3;
/** The largest that a veth takes unsegmented, and its note. */
const MOST = 65_536 + 14 + 10;

const [link = '', other = '', ms = ''] = process.argv.slice(2);
const sockets = libcSockets();
const buffer = new Uint8Array(MOST);

function open(name: string): number {
  const bind = new Uint8Array(20);
  const view = new DataView(bind.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL, false);
  view.setInt32(4, Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'utf8')), true);
  const fd = sockets.open({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0, receiveBuffer: 8 << 20, bind });
  for (const option of [PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING])
    sockets.option(fd, { level: SOL_PACKET, name: option, value: Uint8Array.of(1, 0, 0, 0) });
  return fd;
}

function carry(from: number, to: number) {
  return sockets.watch(from, {
    onReadable() {
      for (let length = sockets.receive(from, buffer); length >= 0; length = sockets.receive(from, buffer)) {
        const frame = buffer.slice(0, length);
        setTimeout(() => sockets.send(to, frame), Number(ms));
      }
    },
    onBroken: (error) => {
      throw error;
    },
  });
}

const [a, b] = [open(link), open(other)];
const watchers = [carry(a, b), carry(b, a)];
process.on('SIGTERM', () => {
  for (const watcher of watchers) watcher.close();
  process.exit(0);
});
console.log('ready');
