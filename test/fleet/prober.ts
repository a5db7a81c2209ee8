/** Asks for an address on the wire, over and over, from the client beside the nodes, and counts what comes back. */
import { type Cluster, until } from '../servers/index.ts';

/** One answer: when it arrived (milliseconds of `performance.now`) and which MAC gave it. */
export interface Reply {
  readonly at: number;
  readonly mac: string;
}

export interface Count {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
}

export interface Prober {
  readonly replies: readonly Reply[];
  /** The first reply at or after a moment; waits for it. Throws when the time is over. */
  firstAfter(moment: number, timeoutMs?: number): Promise<Reply>;
  /** Ends it and counts. A reply that comes after the next request was sent is late, not lost. */
  stop(): Promise<Count>;
}

/** Time between two requests where nothing else is asked for, milliseconds. */
export const PROBE_MS = 20;
/** Replies in a row, each in its own time, after which no request is under way and none is late. */
const CALM = 5;

/** Starts probing with a real `arping`. Every request is an ARP who-has on the client's link; nothing is cached. */
export function probe(cluster: Cluster, address: string, everyMs = PROBE_MS): Prober {
  const replies: Reply[] = [];
  let calm = 0;
  let summary = '';
  let rest = '';
  const args = ['-oL', 'arping', '-i', 'eth0', '-W', String(everyMs / 1000), address];
  const child = cluster.spawn(cluster.client.netns, 'stdbuf', args);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let stopping = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const at = performance.now();
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const mac = /bytes from ([0-9a-f:]{17})/.exec(line)?.[1];
      if (mac !== undefined) {
        const gap = at - (replies.at(-1)?.at ?? 0);
        calm = gap > everyMs / 2 && gap < everyMs * 2 ? calm + 1 : 0;
        replies.push({ at, mac });
      } else if (line.startsWith('Timeout')) calm = 0;
      else if (line.includes('packets transmitted')) summary = line;
    }
    if (stopping && calm >= CALM) child.kill('SIGINT');
  });
  return {
    replies,
    firstAfter: (moment, timeoutMs = 30_000) =>
      until(`an ARP reply for ${address}`, () => replies.find((r) => r.at >= moment), {
        timeoutMs,
        everyMs: 5,
      }),
    async stop() {
      stopping = true;
      const forced = setTimeout(() => child.kill('SIGINT'), 5000);
      await ended;
      clearTimeout(forced);
      const [sent = 0, received = 0] = (summary.match(/\d+/g) ?? []).map(Number);
      if (sent === 0) throw new Error(`arping for ${address} sent nothing: ${summary}`);
      return { sent, received, lost: Math.max(0, sent - received) };
    },
  };
}
