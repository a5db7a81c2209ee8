import { describe, expect, it } from 'vitest';
import { exec } from '../../../test/servers/exec.ts';
import { VirtualClock } from './clock.rig.ts';
import { createLog, errorText, type Level } from './log.ts';

function logging(level: Level = 'all') {
  const lines: string[] = [];
  const log = createLog({
    level,
    clock: new VirtualClock(),
    write: (l) => lines.push(l),
    fields: { app: 'x' },
  });
  return { log, lines, parsed: () => lines.map((l) => JSON.parse(l) as Record<string, unknown>) };
}

describe('a log', () => {
  it('writes one line of JSON with time, level, message and op in front', () => {
    const { log, lines } = logging();
    log.child({ key: 'a/b' }).info({ op: 'sync', n: 1 }, 'service synced');
    expect(lines).toEqual([
      '{"ts":"2026-01-01T00:00:00.000Z","level":"info","msg":"service synced","op":"sync","app":"x","key":"a/b","n":1}',
    ]);
  });

  it('keeps a message with line breaks on one line', () => {
    const { log, lines } = logging();
    log.warn({ text: 'a\nb' }, 'odd');
    expect(lines[0]).not.toContain('\n');
  });

  it.each<[Level, string[]]>([
    ['all', ['debug', 'info', 'warn', 'error']],
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['none', []],
  ])('at level %s prints %j', (level, expected) => {
    const { log, parsed } = logging(level);
    for (const l of ['debug', 'info', 'warn', 'error'] as const) log[l]({}, 'x');
    expect(parsed().map((l) => l.level)).toEqual(expected);
  });

  it('changes its level for parents and children too', () => {
    const { log, lines } = logging('none');
    const child = log.child({});
    child.setLevel('info');
    log.info({}, 'parent');
    child.info({}, 'child');
    expect(lines.length).toBe(2);
  });

  it('never throws, and says what it can of what cannot be printed', () => {
    const { log, parsed } = logging();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    log.info({ circle }, 'circle');
    log.info({ big: 2n ** 64n, set: new Set([1]), map: new Map([['a', 1]]), nothing: undefined }, 'odd');
    expect(parsed()).toMatchObject([
      { msg: 'circle', fields: 'unprintable' },
      { big: '18446744073709551616', set: [1], map: { a: 1 } },
    ]);
    const broken = createLog({
      level: 'all',
      clock: new VirtualClock(),
      write: () => {
        throw new Error('EPIPE');
      },
    });
    expect(() => broken.info({}, 'x')).not.toThrow();
  });

  it('hides what is named like a secret, however deep', () => {
    const { log, lines } = logging();
    log.info(
      {
        token: 'hunter2',
        secret: { data: { k: 'hunter2' }, name: 's' },
        headers: { Authorization: 'hunter2' },
      },
      'x',
    );
    expect(lines[0]).not.toContain('hunter2');
    expect(lines[0]).toContain('"name":"s"');
  });
});

describe('a log on stdout', () => {
  it.each([
    ['goes on', ''],
    ['exits', 'process.exit(1)'],
    ['throws', 'throw new Error("end")'],
    ['ends on a later turn', 'setImmediate(() => { log.info({}, "late"); process.exit(1); })'],
  ])('keeps all lines of a process that %s', async (_, end) => {
    const [clock, log] = ['./clock.ts', './log.ts'].map((file) => new URL(file, import.meta.url).pathname);
    const script = `
      import { systemClock as clock } from '${clock}';
      import { createLog } from '${log}';
      const log = createLog({ level: 'info', clock });
      for (let n = 0; n < 3_000; n++) log.info({ n }, 'line');
      ${end}`;
    const { stdout } = await exec(process.execPath, ['--input-type=module-typescript', '-e', script]);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ msg }) => msg === 'line').map(({ n }) => n)).toEqual([...Array(3_000).keys()]);
    expect(lines.some(({ msg }) => msg === 'late')).toBe(end.includes('late'));
  });
});

describe('the text of an error', () => {
  it('names its causes, once each', () => {
    const inner = new Error('refused');
    expect(errorText(new Error('list failed', { cause: inner }))).toBe('list failed: refused');
    expect(errorText(new Error('list failed: refused', { cause: inner }))).toBe('list failed: refused');
    expect(errorText('text')).toBe('text');
    expect(errorText({ code: 1 })).toBe('{ code: 1 }');
    expect(errorText(new TypeError())).toBe('TypeError');
  });

  it('ends for a circle of causes', () => {
    const a = new Error('a');
    a.cause = a;
    expect(errorText(a)).toBe('a');
  });
});
