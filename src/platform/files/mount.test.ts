import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { type Clock, systemClock } from '../obs/clock.ts';
import { createLog } from '../obs/log.ts';
import { type Mount, watchMount } from './mount.ts';

const log = createLog({ level: 'none', clock: systemClock });
let dir: string;
let version = 0;
let mount: Mount | undefined;
let seen: Record<string, string>[] = [];

/** What kubelet does: a new directory, then `..data` renamed onto it; the visible files are links made once. */
function publish(files: Record<string, string>): void {
  const name = `..v${++version}`;
  mkdirSync(join(dir, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, name, file), text);
  symlinkSync(name, join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  for (const file of Object.keys(files)) {
    try {
      symlinkSync(join('..data', file), join(dir, file));
    } catch {
      // It is there from an earlier version.
    }
  }
  if (version > 1) rmSync(join(dir, `..v${version - 1}`), { recursive: true, force: true });
}

async function mounted(clock: Clock = systemClock): Promise<Mount> {
  mount = watchMount({ dir, clock, log, onChange: (files) => seen.push(Object.fromEntries(files)) });
  await mount.first;
  return mount;
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'herald-mount-'));
  version = 0;
  seen = [];
});
afterEach(async () => {
  await mount?.close();
  rmSync(dir, { recursive: true, force: true });
});
const soon = { timeout: 10_000, interval: 10 };

describe('a mounted ConfigMap', () => {
  it('is read at once and after every swap', async () => {
    publish({ config: 'one' });
    const m = await mounted();
    expect(seen).toEqual([{ config: 'one' }]);
    for (const text of ['two', 'three', 'four']) {
      publish({ config: text });
      await expect.poll(() => m.current().get('config'), soon).toBe(text);
    }
    expect(seen.map((s) => s.config)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('that was written again with the same contents is no change', async () => {
    const clock = new VirtualClock();
    publish({ config: 'one' });
    const m = await mounted(clock);
    publish({ config: 'one' });
    // Time alone brings the next look, whatever events came.
    await clock.advance(61_000);
    publish({ config: 'two' });
    await expect
      .poll(async () => {
        await clock.advance(61_000);
        return m.current().get('config');
      }, soon)
      .toBe('two');
    expect(seen).toEqual([{ config: 'one' }, { config: 'two' }]);
  });

  it('is waited for while it is missing, and kept while it is away', async () => {
    rmSync(dir, { recursive: true });
    const clock = new VirtualClock();
    const m = await mounted(clock);
    expect([...m.current()]).toEqual([]);
    mkdirSync(dir);
    publish({ config: 'one' });
    const look = async () => {
      await clock.advance(1_000);
      return seen.length;
    };
    await expect.poll(look, soon).toBe(1);
    rmSync(join(dir, '..data'));
    await clock.advance(120_000);
    expect(m.current().get('config')).toBe('one');
    expect(seen.length).toBe(1);
  });

  it('outlives a listener that fails', async () => {
    publish({ config: 'one' });
    let calls = 0;
    mount = watchMount({
      dir,
      clock: systemClock,
      log,
      onChange: () => {
        calls++;
        throw new Error('listener');
      },
    });
    await mount.first;
    publish({ config: 'two' });
    await expect.poll(() => calls, soon).toBe(2);
  });

  it('leaves no timer after close', async () => {
    const clock = new VirtualClock();
    publish({ config: 'one' });
    const m = await mounted(clock);
    await m.close();
    await clock.advance(300_000);
    expect(clock.timers).toBe(0);
  });
});
