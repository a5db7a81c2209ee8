/** Prometheus metrics: histograms and the process's own in a registry of prom-client, all others as plain series. */
import * as prom from 'prom-client';
import { yieldToLoop } from './clock.ts';
import { Series } from './series.ts';

/** Labels by name; a metric without labels takes `{}`. */
export type Labels<L extends string> = Readonly<Record<L, string>>;

export interface Describe<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

export interface Counter<L extends string = never> {
  inc(labels: Labels<L>, by?: number): void;
  remove(labels: Labels<L>): void;
}

export interface Gauge<L extends string = never> {
  set(labels: Labels<L>, value: number): void;
  inc(labels: Labels<L>, by?: number): void;
  /** Drop a series when its subject is gone; otherwise it is exported for ever. */
  remove(labels: Labels<L>): void;
}

export interface Histogram<L extends string = never> {
  /** In the unit of the name, seconds for `_seconds`. */
  observe(labels: Labels<L>, value: number): void;
  remove(labels: Labels<L>): void;
}

/** How often the lag of the loop is looked at. Each 10 ms, as prom-client would, costs more than all else in an idle program. */
const LAG_MS = 500;

/**
 * One per process. Asking twice for one name gives the same metric, so several reflectors share theirs; asking for it as
 * another type or with other labels throws.
 */
export class Metrics {
  readonly #registry = new prom.Registry();
  readonly #series: Pick<Series<string>, 'text'>[] = [];
  readonly #made = new Map<string, { readonly shape: string; readonly metric: unknown }>();

  /** `defaults`: also the process's own (loop lag, GC, memory); default true. */
  constructor(o: { defaults?: boolean } = {}) {
    const eventLoopMonitoringPrecision = LAG_MS;
    if (o.defaults ?? true)
      prom.collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision });
  }

  counter<L extends string = never>(d: Describe<L>): Counter<L> {
    return this.#once(`counter ${d.labels ?? ''}`, d.name, (): Counter<L> => {
      const c = this.#add(d, 'counter');
      return { inc: (l, by = 1) => c.inc(l, by), remove: (l) => c.remove(l) };
    });
  }

  gauge<L extends string = never>(d: Describe<L>): Gauge<L> {
    return this.#once(`gauge ${d.labels ?? ''}`, d.name, (): Gauge<L> => {
      const g = this.#add(d, 'gauge');
      return { set: (l, v) => g.set(l, v), inc: (l, by = 1) => g.inc(l, by), remove: (l) => g.remove(l) };
    });
  }

  histogram<L extends string = never>(
    d: Describe<L> & { readonly buckets?: readonly number[] },
  ): Histogram<L> {
    return this.#once(`histogram ${d.labels ?? ''}`, d.name, (): Histogram<L> => {
      const { name, help, labels = [], buckets } = d;
      const config = { name, help, labelNames: [...labels], registers: [this.#registry] };
      const h = new prom.Histogram({ ...config, ...(buckets && { buckets: [...buckets] }) });
      return { observe: (l, v) => h.observe(l, v), remove: (l) => h.remove(l) };
    });
  }

  /** The exposition text of everything, for a scrape: in pieces, between which all else on the loop has its turn. */
  async *pieces(): AsyncGenerator<string, void, void> {
    yield await this.#registry.metrics();
    for (const series of this.#series)
      for (const piece of series.text()) {
        yield piece;
        await yieldToLoop();
      }
  }

  /** The same as one. */
  async text(): Promise<string> {
    return (await Array.fromAsync(this.pieces())).join('');
  }

  /** The Content-Type that goes with `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  #add<L extends string>({ name, help, labels = [] }: Describe<L>, type: 'counter' | 'gauge'): Series<L> {
    const series = new Series({ name, help, labels, type });
    this.#series.push(series);
    return series;
  }

  #once<M>(shape: string, name: string, make: () => M): M {
    const known = this.#made.get(name);
    if (!known) {
      const metric = make();
      this.#made.set(name, { shape, metric });
      return metric;
    }
    if (known.shape !== shape) throw new Error(`metric ${name} exists with another shape: ${known.shape}`);
    // Sound: the same shape means that the same method made it with the same labels.
    return known.metric as M;
  }
}
