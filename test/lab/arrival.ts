import koffi from 'koffi';

/** `struct timespec` of the packet that was read last (socket(7)); numbers of linux/sockios.h for 64-bit machines. */
const SIOCGSTAMPNS = 0x8907;
const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, void *into)');
const timespec = new BigInt64Array(2);

/**
 * When the kernel received the packet that was read last from a socket, in milliseconds since 1970; undefined for the first ones,
 * as asking begins the noting. A reader that had to wait for its turn cannot tell by its own clock.
 */
export function arrivedAt(fd: number): number | undefined {
  if (ioctl(fd, SIOCGSTAMPNS, timespec) !== 0) return undefined;
  const [seconds = 0n, nanoseconds = 0n] = timespec;
  return seconds === 0n ? undefined : Number(seconds) * 1_000 + Number(nanoseconds) / 1e6;
}
