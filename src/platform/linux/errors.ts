/** Codes of this room; documented by generation and never reused. */
export type LinuxCode =
  | 'LINUX-001' // a system call failed
  | 'LINUX-002' // the machine is not one whose struct layouts are known
  | 'LINUX-003'; // the event loop did not wake for a readable socket

/** A system call that failed: what was tried, and errno as its name. */
export class LinuxError extends Error {
  override readonly name = 'LinuxError';
  readonly code: LinuxCode;
  /** errno by name, such as `EPERM`; undefined when no system call was involved. */
  readonly errno: string | undefined;

  constructor(code: LinuxCode, message: string, errno?: string) {
    super(errno === undefined ? message : `${message}: ${errno}`);
    this.code = code;
    this.errno = errno;
  }

  /** Whether the socket itself is still good: the link is down or gone, or the kernel was short of memory. */
  get passing(): boolean {
    return this.errno === 'ENETDOWN' || this.errno === 'ENOBUFS' || this.errno === 'ENOMEM';
  }
}
