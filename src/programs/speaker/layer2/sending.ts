/**
 * So many frames in a row must fail, over so long a time, before nothing is believed to leave an interface: a flood fills
 * the kernel's queue for a few milliseconds, and dozens of frames fail at once.
 */
const FAILURES = 5;
const SPAN_MS = 300;
/** Then the interface counts as lost for so long, as nobody sends on it to find out; longer each time it fails again. */
const PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 600_000;

interface Trouble {
  failures: number;
  /** When the first of them happened. */
  since: number;
  /** It lets nothing out until then; undefined: it does. */
  until: number | undefined;
  pauseMs: number;
}

/** Finds out on which interfaces frames no longer leave. Times are milliseconds of one clock. */
export class Sending {
  readonly #troubles = new Map<string, Trouble>();

  /** A frame could not be sent. True when the interface lets nothing out from now on. */
  failed(now: number, name: string): boolean {
    const trouble = this.#trouble(now, name);
    trouble.failures++;
    const begins =
      trouble.until === undefined && trouble.failures >= FAILURES && now - trouble.since >= SPAN_MS;
    if (!begins) return false;
    return this.unheard(now, name);
  }

  /** Frames leave, and nobody hears them. True when the interface counts as lost from now on. */
  unheard(now: number, name: string): boolean {
    const trouble = this.#trouble(now, name);
    if (trouble.until !== undefined) return false;
    trouble.until = now + trouble.pauseMs;
    trouble.pauseMs = Math.min(2 * trouble.pauseMs, LONGEST_PAUSE_MS);
    return true;
  }

  /** One could be sent after others that could not. True when the interface was held for dead. */
  succeeded(name: string): boolean {
    const trouble = this.#troubles.get(name);
    if (!trouble) return false;
    const ends = trouble.until !== undefined;
    trouble.failures = 0;
    trouble.until = undefined;
    return ends;
  }

  /** Those that let nothing out. After their time they are tried again. */
  muted(now: number): ReadonlySet<string> {
    const names = new Set<string>();
    for (const [name, trouble] of this.#troubles) {
      if (trouble.until === undefined) continue;
      if (trouble.until > now) names.add(name);
      else Object.assign(trouble, { until: undefined, failures: 0 });
    }
    return names;
  }

  /** When one of them is to be tried again; Infinity: none is held for dead. */
  get next(): number {
    return Math.min(...[...this.#troubles.values()].map(({ until }) => until ?? Number.POSITIVE_INFINITY));
  }

  /** The interface is gone, or another one. */
  forget(name: string): void {
    this.#troubles.delete(name);
  }

  #trouble(now: number, name: string): Trouble {
    const known = this.#troubles.get(name);
    if (known) {
      if (known.failures === 0) known.since = now;
      return known;
    }
    const made = { failures: 0, since: now, until: undefined, pauseMs: PAUSE_MS };
    this.#troubles.set(name, made);
    return made;
  }
}
