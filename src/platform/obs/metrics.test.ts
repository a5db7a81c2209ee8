import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

describe('metrics', () => {
  it('count, set, observe and forget by label', async () => {
    const m = new Metrics({ defaults: false });
    const counter = m.counter({ name: 'c_total', help: 'c', labels: ['kind'] });
    counter.inc({ kind: 'a' });
    counter.inc({ kind: 'a' }, 2);
    counter.inc({ kind: 'b' });
    counter.remove({ kind: 'b' });
    const gauge = m.gauge({ name: 'g', help: 'g' });
    gauge.set({}, 5);
    gauge.inc({}, -2);
    m.histogram({ name: 'h_seconds', help: 'h', labels: ['op'], buckets: [1, 2] }).observe({ op: 'x' }, 1.5);
    const text = await m.text();
    expect(text).toContain('c_total{kind="a"} 3');
    expect(text).not.toContain('kind="b"');
    expect(text).toMatch(/^g 3$/m);
    expect(text).toContain('h_seconds_bucket{le="2",op="x"} 1');
    expect(text).toContain('h_seconds_bucket{le="1",op="x"} 0');
  });

  it('are text as Prometheus reads it, whatever stands in a label', async () => {
    const m = new Metrics({ defaults: false });
    m.gauge({ name: 'g', help: 'one\ntwo \\', labels: ['b', 'a'] }).set({ a: '', b: 'x"\\\n' }, -Infinity);
    m.gauge({ name: 'n', help: 'n', labels: ['a'] }).set({ a: 'y' }, NaN);
    m.counter({ name: 'c_total', help: 'c' });
    m.counter({ name: 'none_total', help: 'none', labels: ['a'] });
    expect((await m.text()).trim().split('\n')).toEqual([
      '# HELP g one\\ntwo \\\\',
      '# TYPE g gauge',
      'g{b="x\\"\\\\\\n",a=""} -Inf',
      '# HELP n n',
      '# TYPE n gauge',
      'n{a="y"} NaN',
      '# HELP c_total c',
      '# TYPE c_total counter',
      'c_total 0',
      '# HELP none_total none',
      '# TYPE none_total counter',
    ]);
  });

  it('come in pieces of whole lines, so that ten thousand series never are one text', async () => {
    const m = new Metrics({ defaults: false });
    const gauge = m.gauge({ name: 'g', help: 'g', labels: ['n'] });
    for (let i = 0; i < 10_000; i++) gauge.set({ n: `n${i}` }, i);
    const pieces = (await Array.fromAsync(m.pieces())).filter((piece) => piece.trim() !== '');
    expect(pieces.length).toBeGreaterThan(5);
    for (const piece of pieces) {
      expect(piece.length).toBeLessThan(20_000);
      expect(piece).toMatch(/\n$/);
    }
    expect(pieces.join('').match(/^g\{n="n\d+"\} \d+$/gm)).toHaveLength(10_000);
  });

  it('are shared by name, and refused under another shape', async () => {
    const m = new Metrics({ defaults: false });
    const d = { name: 'n_total', help: 'n', labels: ['kind'] } as const;
    m.counter(d).inc({ kind: 'a' });
    m.counter(d).inc({ kind: 'a' });
    expect(await m.text()).toContain('n_total{kind="a"} 2');
    expect(() => m.gauge(d)).toThrow(/n_total/);
    expect(() => m.counter({ ...d, labels: ['other'] })).toThrow(/n_total/);
  });

  it('of two registries do not meet', async () => {
    const [a, b] = [new Metrics({ defaults: false }), new Metrics()];
    a.counter({ name: 'only_a_total', help: 'a' }).inc({});
    expect(await b.text()).not.toContain('only_a');
    expect(await b.text()).toContain('nodejs_eventloop_lag_seconds');
    expect(await a.text()).not.toContain('nodejs_');
  });
});
