import { describe, expect, test } from 'vitest';
import type { Affected, SourceChange, Step } from '../../domain/change/model.ts';
import { waitingProgress } from './waiting.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const hit = (service: string, reason = '192.0.2.5 is no longer in pool "web"'): Affected => ({
  service,
  addresses: ['192.0.2.5'],
  fate: 'loses',
  reason,
});
const step = (state: Step['state'], affected: readonly Affected[]): Step => ({
  object: 'IPAddressPool web',
  action: 'delete',
  path: 'pools.web',
  changes: [],
  state,
  affected,
});
const change = (...steps: readonly Step[]): SourceChange => ({
  source: 'herald',
  digest: DIGEST,
  policy: 'hold',
  steps,
});
const of = (c: SourceChange | undefined) =>
  waitingProgress({ change: c, namespace: 'metallb-system', blind: [] });

describe('what a source says while its change waits', () => {
  test('nothing when nothing waits', () => {
    expect(of(undefined)).toBeUndefined();
    expect(of(change(step('ready', [hit('shop/web')])))).toBeUndefined();
  });

  test('held: whom it would hurt, and every way on', () => {
    const progress = of(change(step('held', [hit('shop/web')])));
    expect(progress).toMatchObject({ kind: 'stalled', reason: 'HeldInUse' });
    expect(progress?.message).toBe(
      'held: 1 pool removed; 1 Service loses its address: shop/web (192.0.2.5 is no longer in pool "web"). ' +
        'It goes on when the Services have left or the change is taken back. Or set change.policy to drain, move or force ' +
        '(onChange at pools.web for this entry alone), or approve just this: ' +
        `kubectl -n metallb-system annotate --overwrite plan herald herald.io/approve=${DIGEST}`,
    );
  });

  test('names the first few, counts the rest, and keeps the command whole', () => {
    const many = Array.from({ length: 5000 }, (_, i) => hit(`team/s${String(i).padStart(4, '0')}`));
    const { message = '' } = of(change(step('held', many))) ?? {};
    expect(message).toContain('5000 Services lose their address: team/s0000 ');
    expect(message).toContain('and 4997 more. ');
    const long = Array.from({ length: 9 }, (_, i) => hit(`${'n'.repeat(250)}/${i}`));
    const told = of(change(step('held', long)))?.message ?? '';
    expect(told.length).toBe(1000);
    expect(told).toMatch(/….*herald\.io\/approve=sha256:a{64}$/);
  });

  test('held without Services to be seen: why nobody knows', () => {
    const blind = [{ kind: 'Service', phase: 'forbidden', message: 'no' }] as const;
    const progress = waitingProgress({ change: change(step('held', [])), namespace: 'x', blind });
    expect(progress).toMatchObject({ kind: 'stalled', reason: 'ServicesUnreadable' });
    expect(progress?.message).toContain(
      'held: 1 pool removed; whom it would hurt is not known, as Service: forbidden',
    );
  });

  test('held wins over moving, and moving over draining', () => {
    expect(of(change(step('draining', [hit('a/b')]), step('held', [hit('a/c')])))?.reason).toBe('HeldInUse');
    expect(of(change(step('draining', [hit('a/b')]), step('moving', [hit('a/c')])))?.reason).toBe('Moving');
  });

  test('draining: who has not left yet', () => {
    const progress = of(change(step('draining', [hit('shop/web'), hit('shop/api')])));
    expect(progress).toEqual({
      kind: 'working',
      reason: 'Draining',
      message: '1 pool removed once 2 Services left: shop/api (192.0.2.5), shop/web (192.0.2.5)',
    });
  });
});
