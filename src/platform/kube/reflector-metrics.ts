/** What a reflector counts, by kind. */
import type { Metrics } from '../obs/metrics.ts';

export interface ReflectorMetrics {
  objects(count: number): void;
  /** A watch had to be made anew for another reason than its age. */
  restart(reason: 'expired' | 'short' | 'missing' | 'forbidden' | 'disconnected'): void;
  unreadable(): void;
  /** A comparison found so many differences. */
  compared(differences: number): void;
}

export function reflectorMetrics(metrics: Metrics, kind: string): ReflectorMetrics {
  const objects = metrics.gauge({
    name: 'herald_kube_objects',
    help: 'Objects in the cache.',
    labels: ['kind'],
  });
  const restarts = metrics.counter({
    name: 'herald_kube_watch_failures_total',
    help: 'Watches and lists that ended early, by reason.',
    labels: ['kind', 'reason'],
  });
  const unreadable = metrics.counter({
    name: 'herald_kube_unreadable_objects_total',
    help: 'Objects that do not have the shape of their kind.',
    labels: ['kind'],
  });
  const differences = metrics.counter({
    name: 'herald_kube_missed_changes_total',
    help: 'Differences found by comparing cache and server at one version. Anything but 0 is a bug.',
    labels: ['kind'],
  });
  // Shown from the start: an alert on a counter that does not exist yet never fires.
  differences.inc({ kind }, 0);
  return {
    objects: (count) => objects.set({ kind }, count),
    restart: (reason) => restarts.inc({ kind, reason }),
    unreadable: () => unreadable.inc({ kind }),
    compared: (count) => differences.inc({ kind }, count),
  };
}
