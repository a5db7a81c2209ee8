import { describe, expect, it } from 'vitest';
import type { Step } from '../../../domain/change/model.ts';
import { asMarkdown } from './markdown.ts';
import { exitCodeOf, type Planned } from './plan.ts';
import { asText } from './text.ts';

const NOTHING: Planned = {
  problems: [],
  changes: [],
  affected: [],
  remarks: [],
  counts: { create: 0, update: 0, delete: 0, held: 0, waiting: 0 },
};
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const GROW: Step = {
  object: 'IPAddressPool web',
  action: 'update',
  path: 'pools.web',
  changes: ['spec.addresses: 192.0.2.32/28 added'],
  state: 'ready',
  affected: [],
};
const service = (name: string) => ({
  service: `shop/${name}`,
  addresses: ['192.0.2.5'],
  fate: 'loses' as const,
  reason: 'no pool holds 192.0.2.5',
});
const GONE: Step = {
  object: 'IPAddressPool old',
  action: 'delete',
  path: 'pools.old',
  changes: [],
  state: 'held',
  because: '1 Service would lose its address',
  affected: [service('web')],
};
const planned = (...steps: Step[]): Planned => ({
  ...NOTHING,
  changes: [{ source: 'herald', digest: DIGEST, policy: 'hold', steps }],
  counts: {
    create: 0,
    update: steps.filter((s) => s.action === 'update').length,
    delete: 0,
    held: steps.filter((s) => s.state === 'held').length,
    waiting: steps.filter((s) => s.state === 'draining').length,
  },
});

describe('the plan for a terminal', () => {
  it('says that nothing changes', () => {
    expect(asText(NOTHING)).toBe('No change: the cluster holds what the sources say.');
  });

  it('shows each step with its sign, its place, its fields, and whom it hurts', () => {
    expect(asText(planned(GROW, GONE)).split('\n').slice(0, 7)).toEqual([
      'Source herald:',
      '',
      '  ~ IPAddressPool web  (pools.web)',
      '      spec.addresses: 192.0.2.32/28 added',
      '  - IPAddressPool old  (pools.old)  [held] 1 Service would lose its address',
      '      ! shop/web (192.0.2.5) loses its address: no pool holds 192.0.2.5',
      '',
    ]);
  });

  it('names the ways on where something is held, with the digest to approve', () => {
    const text = asText(planned(GROW, GONE));
    expect(text).toContain(`herald: 1 held, ${DIGEST.slice(0, 19)}`);
    expect(text).toContain('herald approve SOURCE --digest DIGEST');
    expect(asText(planned(GROW))).not.toContain('approve');
  });

  it('names the first ten Services of a step and counts the rest', () => {
    const affected = Array.from({ length: 12 }, (_, i) => service(`s${i}`));
    const text = asText(planned({ ...GONE, affected }));
    expect(text).toContain('shop/s9');
    expect(text).not.toContain('shop/s10');
    expect(text).toContain('and 2 more');
  });

  it('begins with what is wrong', () => {
    const problems = [
      { code: 'PoolEmpty', path: 'pools.web.addresses', message: 'the pool has no addresses' },
    ];
    expect(asText({ ...NOTHING, problems }).split('\n')[0]).toBe(
      'error: pools.web.addresses: the pool has no addresses',
    );
  });
});

describe('the plan as a comment', () => {
  it('puts the verdict into the title', () => {
    expect(asMarkdown(NOTHING)).toMatch(/^### Herald plan: no change\n/);
    expect(asMarkdown(planned(GROW))).toMatch(/^### Herald plan: safe\n/);
    expect(asMarkdown(planned(GONE))).toMatch(/^### Herald plan: 1 held\n/);
  });

  it('keeps text from breaking out of the table, and mentions nobody', () => {
    const text = asMarkdown(planned({ ...GROW, changes: ['metadata.labels.team: a|b <b>@ops</b>\nnext'] }));
    expect(text).toContain(String.raw`metadata.labels.team: a\|b \<b\>&#64;ops\</b\> next`);
  });
});

describe('the exit code', () => {
  it.each([
    ['no change', NOTHING, 0],
    ['a change', planned(GROW), 2],
    ['a change that waits for Services to leave', planned({ ...GONE, state: 'draining' }), 2],
    ['something held', planned(GROW, GONE), 3],
    [
      'a warning only',
      { ...NOTHING, problems: [{ code: 'X', severity: 'warning', path: '', message: '' }] },
      0,
    ],
    [
      'an error, whatever else there is',
      { ...planned(GONE), problems: [{ code: 'X', path: '', message: '' }] },
      1,
    ],
  ] as const)('of %s', (_, plan, code) => {
    expect(exitCodeOf(plan)).toBe(code);
  });
});
