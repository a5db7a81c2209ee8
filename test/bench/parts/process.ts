/** What a process costs, from /proc. */
import { readFileSync } from 'node:fs';

/** Ticks of USER_HZ, which Linux fixes at 100 for user space on every architecture that Node runs on. */
const TICKS = 100;

/** Seconds of CPU that a process has used, in user and kernel mode. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** The most memory that it has held, in MiB. */
export function peakMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
