/** Running other programs: to their end, and waiting for a condition. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a finished command left. A command that could not be started has code 127 and says why on stderr. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The command is killed after this long; milliseconds, default two minutes. */
  readonly timeoutMs?: number;
}

/** Runs a command to its end. Never rejects: a bad exit is in `code`. Output over 64 MiB is cut by an error. */
export function exec(command: string, args: readonly string[], o: ExecOptions = {}): Promise<Result> {
  return new Promise((resolve) => {
    const options = {
      env: { ...process.env, ...o.env },
      maxBuffer: 64 << 20,
      timeout: o.timeoutMs ?? 120_000,
      ...(o.cwd === undefined ? {} : { cwd: o.cwd }),
    };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
      const why =
        error !== null && (typeof error.code !== 'number' || stderr === '') ? `${error.message}\n` : '';
      resolve({ code, stdout, stderr: stderr + (code === 127 ? why : '') });
    });
    // A command that ends without reading its input is no fault.
    child.stdin?.on('error', () => {});
    child.stdin?.end(o.input);
  });
}

/** Runs a command to its end and returns its output; throws with its words when it fails. */
export async function must(command: string, args: readonly string[], o: ExecOptions = {}): Promise<string> {
  const done = await exec(command, args, o);
  if (done.code !== 0)
    throw new Error(`${command} ${args.join(' ')}: exit ${done.code}\n${done.stderr || done.stdout}`.trim());
  return done.stdout;
}

/**
 * Asks until the answer is neither undefined nor false, and returns it. An exception counts as "not yet" and ends up as the
 * cause. `what` completes "waited 60 s for ..."; `stop` may end the wait early with an error of its own.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  o: { timeoutMs?: number; everyMs?: number; stop?: () => Error | undefined } = {},
): Promise<T> {
  const timeoutMs = o.timeoutMs ?? 60_000;
  const start = performance.now();
  let cause: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
      cause = undefined;
    } catch (e) {
      cause = e;
    }
    const early = o.stop?.();
    if (early !== undefined) throw early;
    if (performance.now() - start > timeoutMs) {
      const detail = cause instanceof Error ? `: ${cause.message}` : '';
      throw new Error(`waited ${timeoutMs / 1000} s for ${what}${detail}`, { cause });
    }
    await sleep(o.everyMs ?? 50);
  }
}
