import { beforeEach, describe, expect, it } from 'vitest';
import { service } from '../../domain/election/field.rig.ts';
import { parseAddress } from '../../domain/ip/address.ts';
import { VirtualClock } from '../../platform/obs/clock.rig.ts';
import { createLog } from '../../platform/obs/log.ts';
import { Metrics } from '../../platform/obs/metrics.ts';
import { speakerMetrics } from './metrics.ts';
import { Telling } from './telling.ts';

let clock: VirtualClock;
let lines: string[];
let events: string[];
let metrics: Metrics;
let telling: Telling;

beforeEach(() => {
  clock = new VirtualClock();
  lines = [];
  events = [];
  metrics = new Metrics({ defaults: false });
  telling = new Telling({
    clock,
    log: createLog({ level: 'info', clock, write: (line) => lines.push(JSON.parse(line).msg) }),
    node: 'n1',
    speaker: speakerMetrics(metrics),
    recorder: { record: (_, { reason }) => events.push(reason) },
    configuration: { field: undefined },
  });
});

const seven = parseAddress('192.0.2.7');
const take = (key: string, rival?: 'n2') => {
  const addresses = seven ? [seven] : [];
  telling.takenOver(
    { key, service: service([]), since: clock.now() - 50 },
    { announce: true, addresses, interfaces: 'all', pool: 'web', because: 'first-in-order' },
    rival && { owner: rival, why: undefined },
  );
};

describe('what is said of decisions', () => {
  it('comes a moment later, in the order of the decisions, with the time that they took', async () => {
    take('web', 'n2');
    telling.withdrawn('web', ['192.0.2.7'], 'notOwner');
    await clock.advance(99);
    expect([lines, events]).toEqual([[], []]);
    await clock.advance(1);
    expect(lines).toEqual([
      'service has IP, announcing',
      'service moved here from another node',
      'withdrawing service announcement',
    ]);
    expect(events).toEqual(['nodeAssigned', 'AddressMoved']);
    expect(await metrics.text()).toMatch(/announce_seconds_sum 0\.05\n/);
    expect(clock.timers).toBe(0);
  });

  it('is said in portions, between which the loop is free for questions, and all of it', async () => {
    const portions: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (ms, run) =>
      after(ms, () => {
        const before = lines.length;
        run();
        portions.push(lines.length - before);
      });
    for (let i = 0; i < 20; i++) take(`s${i}`);
    await clock.advance(100);
    expect(portions).toEqual([8, 8, 4]);
  });

  it('is said at once when the process ends', () => {
    take('web');
    telling.flush();
    expect([lines.length, events, clock.timers]).toEqual([1, ['nodeAssigned'], 0]);
  });
});
