import type { Write } from '../../domain/change/plan.ts';
import type { Counter, Gauge, Histogram, Metrics } from '../../platform/obs/metrics.ts';
import type { Worked } from './work.ts';

export interface ReconcilerMetrics {
  readonly renders: Counter<'result'>;
  readonly seconds: Histogram;
  readonly writes: Counter<'verb' | 'kind' | 'result'>;
  readonly ready: Gauge<'source'>;
  readonly stalled: Gauge<'source' | 'reason'>;
  readonly problems: Gauge<'source'>;
  readonly planSteps: Gauge<'source' | 'state'>;
  readonly planAffected: Gauge<'source'>;
  readonly suspended: Gauge;
  readonly ahead: Gauge;
}

export function reconcilerMetrics(m: Metrics): ReconcilerMetrics {
  return {
    renders: m.counter({
      name: 'herald_reconciler_renders_total',
      help: 'Looks at all sources, by how they ended.',
      labels: ['result'],
    }),
    seconds: m.histogram({
      name: 'herald_reconciler_render_seconds',
      help: 'Time of one look, writes included.',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    }),
    writes: m.counter({
      name: 'herald_reconciler_writes_total',
      help: 'Writes of rendered objects.',
      labels: ['verb', 'kind', 'result'],
    }),
    ready: m.gauge({
      name: 'herald_config_source_ready',
      help: '1: what the source says is in force.',
      labels: ['source'],
    }),
    stalled: m.gauge({
      name: 'herald_config_source_stalled',
      help: '1: the source was refused or held, for this reason.',
      labels: ['source', 'reason'],
    }),
    problems: m.gauge({
      name: 'herald_config_source_problems',
      help: 'Problems found in the source, warnings included.',
      labels: ['source'],
    }),
    planSteps: m.gauge({
      name: 'herald_plan_steps',
      help: "Steps of the source's change that are held, or wait until Services have left.",
      labels: ['source', 'state'],
    }),
    planAffected: m.gauge({
      name: 'herald_plan_affected_services',
      help: "Services for which steps of the source's change wait.",
      labels: ['source'],
    }),
    suspended: m.gauge({
      name: 'herald_reconciler_suspended',
      help: '1: the HelmRelease is suspended and nothing is written.',
    }),
    ahead: m.gauge({
      name: 'herald_helm_release_ahead',
      help: '1: the HelmRelease asks for values that Helm has not applied.',
    }),
  };
}

/** Counts what became of the writes of one look. */
export function countWrites({ writes }: ReconcilerMetrics, { done, failures }: Worked): void {
  const count = (w: Write, result: string) => {
    const { kind } = (w.verb === 'delete' ? w.live : w.object).kind;
    writes.inc({ verb: w.verb, kind, result });
  };
  for (const write of done) count(write, 'done');
  for (const { write } of failures) count(write, 'failed');
}
