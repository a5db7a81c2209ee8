import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../domain/api/object.ts';
import { Echo } from './echo.ts';

const at = (resourceVersion: string): KubeObject => ({
  metadata: { name: 'x', uid: 'u', resourceVersion, generation: 1, labels: {}, annotations: {} },
});

describe('the echo of our writes', () => {
  it('stands in for a cache that is behind, over several writes', () => {
    const echo = new Echo();
    const [v1, v2, v3] = [at('1'), at('2'), at('3')];
    echo.wrote(v1, v2);
    expect(echo.current('x', v1)).toBe(v2);
    echo.wrote(v2, v3);
    expect(echo.current('x', v1)).toBe(v3);
    expect(echo.current('x', v2)).toBe(v3);
  });

  it('gives way to everything newer, for good', () => {
    const echo = new Echo();
    const [v1, v2, v9] = [at('1'), at('2'), at('9')];
    echo.wrote(v1, v2);
    expect(echo.current('x', v9)).toBe(v9);
    expect(echo.current('x', v1)).toBe(v1);
  });

  it('does not bring back what is deleted', () => {
    const echo = new Echo();
    echo.wrote(at('1'), at('2'));
    expect(echo.current('x', undefined)).toBeUndefined();
    expect(echo.current('x', at('1'))).toEqual(at('1'));
  });

  it('tells a change of ours from a change of others', () => {
    const echo = new Echo();
    echo.wrote(at('1'), at('2'));
    expect([
      echo.isOwn('x', at('2')),
      echo.isOwn('x', at('3')),
      echo.isOwn('y', at('2')),
      echo.isOwn('x', undefined),
    ]).toEqual([true, false, false, false]);
  });

  it('takes a write that changed nothing for none', () => {
    const echo = new Echo();
    const same = at('1');
    echo.wrote(same, at('1'));
    expect(echo.current('x', same)).toBe(same);
  });
});
