import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '../servers/exec.ts';
import type { Run } from '../servers/run.ts';
import type { Host, Network, Wire } from './network.rig.ts';

/** What can be wrong with the wires of a lab. The way to the API server stays whole: it is the machine's own. */
export interface Faults {
  /** Each frame between two hosts on these wires is lost with this chance, each way; 0 ends it. */
  lose(share: number, ...wires: Wire[]): Promise<void>;
  /** What `from` sends to `to` over the ring no longer arrives; the other way still does. */
  deafen(to: Host, from: Host): Promise<void>;
  /** Nothing passes between the two sides on this wire, either way. */
  part(wire: Wire, some: readonly Host[], others: readonly Host[]): Promise<void>;
  /** All loss and all partitions end; delays stay. */
  heal(): Promise<void>;
  /** Frames from and to a host take longer by so many milliseconds, each way, from now on. Returns how to end it. */
  slow(host: Host, wire: Wire, ms: number): Promise<() => Promise<void>>;
}

/** The end of a link that is in the bridge in place of `port`. */
const behindRelay = (port: string) => `${port}o`;

/** Loss and partitions by nftables on the lab's bridges, delay by `relay.ts` in front of a link. */
export function makeFaults(run: Run, network: Network): Faults {
  const table = `bridge ${run.prefix}`;
  const cuts = new Set<string>();
  const losses = new Map<Wire, number>();
  let relays = 0;

  let applied: Promise<unknown> = Promise.resolve();
  /** One set of rules after the other: of two at a time, the older might be the last. */
  const rules = async (): Promise<void> => {
    const next = applied.then(write);
    applied = next.catch(() => {});
    await next;
  };
  /** All rules at once: there is no moment without those that stay. */
  const write = async (): Promise<void> => {
    const lost = [...losses].map(
      ([wire, share]) =>
        `iifname "${network.bridges[wire]}*" numgen random mod 1000 < ${Math.round(share * 1_000)} drop`,
    );
    const chain = 'type filter hook forward priority 0; policy accept;';
    const body = [chain, ...cuts, ...lost].join('\n');
    await must('nft', ['-f', '-'], {
      input: `table ${table} {}\ndelete table ${table}\ntable ${table} {\nchain forward {\n${body}\n}\n}\n`,
    });
  };
  const set = (wire: Wire, host: Host) =>
    `{ ${network
      .ports(host, wire)
      .flatMap((port) => [port, behindRelay(port)])
      .join(', ')} }`;
  const way = (wire: Wire, from: Host, to: Host) => `iifname ${set(wire, from)} oifname ${set(wire, to)}`;
  return {
    async lose(share, ...wires) {
      for (const wire of wires) {
        if (share > 0) losses.set(wire, share);
        else losses.delete(wire);
      }
      await rules();
    },
    async deafen(to, from) {
      // Not ARP: without it, the other way would end with the neighbour entry.
      cuts.add(`${way('mgmt', from, to)} meta protocol { ip, ip6 } drop`);
      await rules();
    },
    async part(wire, some, others) {
      for (const a of some) {
        for (const b of others) {
          cuts.add(`${way(wire, a, b)} drop`);
          cuts.add(`${way(wire, b, a)} drop`);
        }
      }
      await rules();
    },
    async heal() {
      cuts.clear();
      losses.clear();
      await rules();
    },
    async slow(host, wire, ms) {
      const [port] = network.ports(host, wire);
      if (port === undefined) throw new Error(`${host.name} is not on ${wire}`);
      const [inner, outer] = [`${port}i`, behindRelay(port)];
      await must('ip', ['link', 'add', inner, 'type', 'veth', 'peer', 'name', outer]);
      for (const end of [inner, outer]) await must('ip', ['link', 'set', end, 'addrgenmode', 'none', 'up']);
      const args = [join(import.meta.dirname, 'relay.ts'), port, inner, String(ms)];
      const relay = run.start({ name: `relay-${port}-${++relays}`, command: process.execPath, args });
      await relay.ready(async () => readFileSync(relay.log, 'utf8').includes('ready'));
      await must('ip', ['link', 'set', port, 'nomaster']);
      await must('ip', ['link', 'set', outer, 'master', network.bridges[wire]]);
      return async () => {
        await relay.stop();
        await must('ip', ['link', 'delete', inner]);
        await must('ip', ['link', 'set', port, 'master', network.bridges[wire]]);
      };
    },
  };
}

/** A process stands still, as on a node whose CPU is taken away, for so long. */
export async function stall(pid: number | undefined, ms: number): Promise<void> {
  // 0 would be the caller's own group.
  if (!pid) throw new Error('no such process');
  process.kill(pid, 'SIGSTOP');
  try {
    await sleep(ms);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/**
 * For so long, processes stand still one after another: each time one of `pids` by chance, for 100 to `mostMs`, with a
 * pause of half a second on average. Returns how often.
 */
export async function stalls(
  pids: () => readonly number[],
  o: { mostMs: number; forMs: number },
): Promise<number> {
  const end = performance.now() + o.forMs;
  let count = 0;
  for (; performance.now() < end; count++) {
    const all = pids();
    const pid = all[Math.floor(Math.random() * all.length)];
    if (pid === undefined) break;
    await stall(pid, 100 + Math.random() * (o.mostMs - 100));
    await sleep(Math.random() * 1_000);
  }
  return count;
}
