import { describe, expect, it } from 'vitest';
import { fateTexts, judged, service, stepTexts, writeTexts } from './change.rig.ts';

describe('judge', () => {
  it('holds the deletion of a pool in use', () => {
    const r = judged({
      from: { pools: { web: { addresses: ['192.0.2.0/28'] } }, l2Advertisements: { all: {} } },
      to: { l2Advertisements: { all: {} } },
      services: [service('shop/web', '192.0.2.5')],
    });
    expect(stepTexts(r)).toEqual(['delete IPAddressPool web: held']);
    expect(writeTexts(r)).toEqual([]);
    expect(fateTexts(r.affected)).toEqual(['shop/web loses']);
  });
});
