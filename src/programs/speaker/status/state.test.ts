import { beforeEach, describe, expect, it } from 'vitest';
import { type ConfigurationState, ConfigurationStates } from '../../../domain/api/metallb.ts';
import type { KubeClient } from '../../../platform/kube/client.ts';
import { VirtualClock } from '../../../platform/obs/clock.rig.ts';
import { createLog } from '../../../platform/obs/log.ts';
import { Metrics } from '../../../platform/obs/metrics.ts';
import { State } from './state.ts';

const TYPE = 'herald.io/InterfaceLost';
const LOST = 'lan0 (IPv4): it has no carrier';
const TEXT = '{"lost":[{"if":"lan0","fam":"4"}]}';

let clock: VirtualClock;
let losses: string[];
/** Times at which a status was written, and what the condition then said. */
let written: [number, string][];
/** The annotation, each time that metadata were written. */
let annotated: unknown[];
let state: State;

beforeEach(async () => {
  clock = new VirtualClock();
  losses = [];
  written = [];
  annotated = [];
  const labels = { 'herald.io/component-type': 'speaker' };
  let object: Record<string, unknown> = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ConfigurationState',
    metadata: { name: 'speaker-n1', namespace: 'metallb-system', uid: 'u', resourceVersion: '1', labels },
  };
  const client: KubeClient = {
    server: '',
    async request({ body }) {
      object = {
        ...object,
        ...Object(body),
        metadata: { ...Object(object.metadata), ...Object(Object(body).metadata) },
      };
      const { conditions = [] } = ConfigurationStates.decode(object).status ?? {};
      const found = conditions.find(({ type }) => type === TYPE);
      const { annotations } = Object(Object(body).metadata);
      if (annotations) annotated.push(Object(annotations)['herald.io/lost-interfaces']);
      if (Object(body).status)
        written.push([clock.now(), found ? `${found.status} ${found.reason} ${found.message}` : 'absent']);
      return object;
    },
    watch() {
      throw new Error('no');
    },
    async close() {},
  };
  const store = { get: (): ConfigurationState => ConfigurationStates.decode(object) };
  const source = { synced: true, whenSynced: async () => {}, onChange: () => () => {}, store };
  state = new State({
    client,
    clock,
    random: { next: () => 0.5 },
    log: createLog({ level: 'none', clock }),
    metrics: new Metrics({ defaults: false }),
    options: { node: 'n1', namespace: 'metallb-system', ignoreExcludeLb: false, speakerSelectors: [] },
    sources: { state: source },
    owner: async () => undefined,
    problems: () => [],
    conflicts: () => [],
    lost: () => (losses.length > 0 ? { lines: losses, text: TEXT } : { lines: [] }),
  });
  state.start();
  await clock.advance(10);
  written.splice(0);
  annotated.splice(0);
});

describe('what a ConfigurationState says of lost interfaces', () => {
  it('is nothing while there are none', async () => {
    state.lookAtLosses();
    state.look();
    await clock.advance(60_000);
    expect(written).toEqual([]);
  });

  it('comes a second after the loss, and its end as long after the return', async () => {
    losses = [LOST];
    state.lookAtLosses();
    await clock.advance(59_990);
    losses = [];
    state.lookAtLosses();
    await clock.advance(60_000);
    expect(written).toEqual([
      [1_010, `True CannotAnswer ${LOST}`],
      [61_000, 'False AllWork '],
    ]);
    // For those that compute the election.
    expect(annotated).toEqual([TEXT, null]);
  });

  it('is written each ten seconds at most while a cable comes and goes, and right in the end', async () => {
    for (let i = 0; i < 300; i++) {
      losses = i % 2 === 0 ? [LOST] : [];
      state.lookAtLosses();
      // Whatever else there is to tell.
      state.look();
      await clock.advance(190);
    }
    losses = [LOST];
    state.lookAtLosses();
    await clock.advance(20_000);
    expect(written.length).toBeLessThanOrEqual(8);
    expect(written.at(-1)?.[1]).toBe(`True CannotAnswer ${LOST}`);
    const pauses = written.slice(1).map(([at], i) => at - (written[i]?.[0] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10_000);
  });

  it('is not written when it has ended before it was', async () => {
    losses = [LOST];
    state.lookAtLosses();
    await clock.advance(500);
    losses = [];
    state.lookAtLosses();
    await clock.advance(60_000);
    expect(written).toEqual([]);
  });
});
