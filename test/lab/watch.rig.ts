import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '../servers/exec.ts';
import type { Command, Owners, Report, Wish } from './client.ts';
import type { Host } from './network.rig.ts';

/** A client that asks for addresses at a steady rate, and tells while it goes on. */
export interface Watch {
  /** Nothing from before counts any more. */
  forget(): Promise<void>;
  /** All since then. */
  take(): Promise<Report>;
  owners(): Promise<Owners>;
  close(): void;
}

/** `everyMs`: for each address; default 5. Whoever ends the lab ends the client, too. */
export async function startWatch(from: Host, ips: readonly string[], everyMs = 5): Promise<Watch> {
  const [command, ...args] = from.enter([process.execPath, join(import.meta.dirname, 'client.ts')]);
  const child = spawn(command, args, { stdio: 'pipe' });
  const wish: Wish = { interface: 'eth0', ips, everyMs, live: true };
  child.stdin.write(`${JSON.stringify(wish)}\n`);
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const ask = async <T>(what: Command): Promise<T> => {
    child.stdin.write(`${what}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`client: ${err}`);
    return JSON.parse(value) as T;
  };
  // One after another: each answer is the next line.
  const inTurn = <T>(what: Command): Promise<T> => {
    const answer = last.then(() => ask<T>(what));
    last = answer.catch(() => {});
    return answer;
  };
  await until('the client', () => err.includes('ready') || child.exitCode !== null, { everyMs: 5 });
  return {
    forget: () => inTurn('forget'),
    take: () => inTurn('take'),
    owners: () => inTurn('owners'),
    close: () => child.stdin.end(),
  };
}
