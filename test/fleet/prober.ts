/** Asks for an address on the wire, over and over, from the client beside the nodes, and counts what comes back. */
import type { Cluster } from '../servers/index.ts';

/** One answer: when it arrived (milliseconds of `performance.now`) and which MAC gave it. */
export interface Reply {
  readonly at: number;
  readonly mac: string;
}

export interface Prober {
  readonly replies: readonly Reply[];
  /** The first reply at or after a moment; waits for it. Throws when the time is over. */
  firstAfter(moment: number, timeoutMs?: number): Promise<Reply>;
  /** Ends it. A reply that comes after the next request was sent is late, not lost. */
  stop(): Promise<Count>;
}

export interface Count {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
}

/** Time between two requests, milliseconds. */
export const PROBE_MS = 20;

/** Starts probing. Every request is an ARP who-has on the client's link; nothing is cached. */
export function probe(cluster: Cluster, address: string): Prober {
  const replies: Reply[] = [];
  let late = 0;
  let summary = '';
  let wake: () => void = () => {};
  const args = ['-oL', 'arping', '-i', 'eth0', '-W', String(PROBE_MS / 1000), address];
  const child = cluster.spawn(cluster.client.netns, 'stdbuf', args);
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const at = performance.now();
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const mac = /bytes from ([0-9a-f:]{17})/.exec(line)?.[1];
      if (mac !== undefined) replies.push({ at, mac });
      else if (line.startsWith('Timeout')) late++;
      else if (line.includes('packets transmitted')) summary = line;
    }
    wake();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    replies,
    async firstAfter(moment, timeoutMs = 30_000) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const found = replies.find((r) => r.at >= moment);
        if (found) return found;
        const left = deadline - performance.now();
        if (left <= 0) throw new Error(`no ARP reply for ${address} within ${timeoutMs} ms`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, Math.min(left, 1000));
        });
      }
    },
    async stop() {
      child.kill('SIGINT');
      await ended;
      const [sent = 0, received = 0] = (summary.match(/\d+/g) ?? []).map(Number);
      if (sent === 0) throw new Error(`arping for ${address} sent nothing: ${summary}`);
      // The request under way at the end is unanswered too, but nothing timed out for it.
      return { sent, received, lost: Math.min(late, Math.max(0, sent - received)) };
    },
  };
}
