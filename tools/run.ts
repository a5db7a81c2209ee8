import { spawn } from 'node:child_process';

/** What a finished command left: its exit code, its joined output and how long it took (milliseconds). */
export interface Finished {
  readonly code: number;
  readonly output: string;
  readonly ms: number;
}

/** Runs a command to its end and collects its output; `echo` shows the output as it comes. Never throws. */
export function run(
  command: string,
  args: readonly string[],
  o: { echo?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const start = performance.now();
  const parts: Buffer[] = [];
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...o.env },
    });
    const take = (data: Buffer) => {
      parts.push(data);
      if (o.echo) process.stdout.write(data);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const end = (code: number, extra = '') =>
      resolve({ code, output: Buffer.concat(parts).toString() + extra, ms: performance.now() - start });
    child.on('error', (e) => end(127, `${command}: ${e.message}\n`));
    child.on('close', (code, signal) => end(code ?? (signal ? 128 : 1)));
  });
}

/** `12.3 s`, for lines that people read. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
