/** How many addresses were in use at a time, milliseconds of one clock. */
export interface Sample {
  readonly at: number;
  readonly used: number;
}

/** Samples further apart than this are looked at, and none older. */
const LONGEST_MS = 3_600_000;
/** A shorter time says too little. */
const SHORTEST_MS = 600_000;
/** Between two samples. */
const STEP_MS = 60_000;

/** The samples with another one, without those that are too old or too close to each other. */
export function sampled(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last && sample.at - last.at < STEP_MS) return samples;
  return [...samples.filter(({ at }) => sample.at - at <= LONGEST_MS), sample];
}

/**
 * Seconds until nothing is free, at the rate of the time that the samples span: at most an hour. Infinite while use does not
 * grow; undefined when the samples span less than ten minutes.
 */
export function forecast(samples: readonly Sample[], now: Sample, free: number): number | undefined {
  if (free <= 0) return 0;
  const [first] = samples;
  if (!first || now.at - first.at < SHORTEST_MS) return undefined;
  const grown = now.used - first.used;
  return grown <= 0 ? Number.POSITIVE_INFINITY : (free * (now.at - first.at)) / grown / 1000;
}
