import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { createLog } from '../obs/log.ts';
import { EventRecorder } from './events.ts';
import type { KubeClient } from './ports.ts';

const web = { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' };
const moved = { type: 'Normal', reason: 'Moved', message: 'here' } as const;

let clock: VirtualClock;
let asked: string[];

function recorder(afterMs?: number): EventRecorder {
  const client: KubeClient = {
    server: '',
    async request({ method, path }) {
      asked.push(`${method} ${path}`);
    },
    watch() {
      throw new Error('no');
    },
    async close() {},
  };
  const log = createLog({ level: 'none', clock });
  return new EventRecorder({
    client,
    clock,
    log,
    component: 'test',
    ...(afterMs !== undefined && { afterMs }),
  });
}

beforeEach(() => {
  clock = new VirtualClock();
  asked = [];
});

describe('a recorder of events', () => {
  it('sends at once unless it is told to wait', async () => {
    const events = recorder();
    events.record(web, moved);
    await events.flush();
    expect(asked).toEqual(['POST /api/v1/namespaces/default/events']);
  });

  it('waits before the first of several, and sends all of them then', async () => {
    const events = recorder(1_000);
    events.record(web, moved);
    await clock.advance(999);
    events.record({ ...web, name: 'mail' }, moved);
    expect(asked).toEqual([]);
    await clock.advance(1);
    await events.flush();
    expect(asked).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });

  it('waits no longer when it is flushed, and does again later', async () => {
    const events = recorder(1_000);
    events.record(web, moved);
    await events.flush();
    expect([asked.length, clock.timers]).toEqual([1, 0]);
    events.record({ ...web, name: 'mail' }, moved);
    await clock.advance(999);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(asked).toHaveLength(2);
  });

  it('ends while it waits, and sends nothing any more', async () => {
    const events = recorder(1_000);
    events.record(web, moved);
    await events.close();
    expect([asked, clock.timers]).toEqual([[], 0]);
  });
});
