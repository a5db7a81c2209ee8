import { describe, expect, it } from 'vitest';
import { IPAddressPools } from '../../domain/api/metallb.ts';
import { type LiveObject, liveKind } from '../../domain/desired/object.ts';
import { Overlay } from './overlay.ts';

const pool = (resourceVersion: string, uid = 'u'): LiveObject =>
  liveKind(IPAddressPools).decode({
    metadata: { name: 'web', namespace: 'ns', uid, resourceVersion },
    spec: { addresses: [resourceVersion] },
  });
const versions = (overlay: Overlay, watched: readonly LiveObject[]) =>
  overlay.over(watched).map((o) => o.metadata.resourceVersion);

describe('Overlay', () => {
  it('shows what we wrote until the watch has it, and then what the watch has', () => {
    const overlay = new Overlay();
    overlay.wrote(pool('10'));
    expect(versions(overlay, [])).toEqual(['10']);
    expect(versions(overlay, [pool('9')])).toEqual(['10']);
    expect(versions(overlay, [pool('10')])).toEqual(['10']);
    expect(versions(overlay, [pool('9')])).toEqual(['9']);
  });

  it('gives way to newer states, compared as numbers', () => {
    const overlay = new Overlay();
    overlay.wrote(pool('99'));
    expect(versions(overlay, [pool('100')])).toEqual(['100']);
  });

  it('forgets what the watch saw come and go', () => {
    const overlay = new Overlay();
    overlay.wrote(pool('10'));
    overlay.gone('IPAddressPool web');
    expect(versions(overlay, [])).toEqual([]);
  });

  it('hides what we deleted until the watch has that, and shows one that was made anew', () => {
    const overlay = new Overlay();
    overlay.deleted(pool('10'));
    expect(versions(overlay, [pool('10')])).toEqual([]);
    expect(versions(overlay, [pool('12', 'other')])).toEqual(['12']);
  });

  it('shows what it was told the server has, until the watch has news', () => {
    const overlay = new Overlay();
    overlay.asked([pool('10')], []);
    expect(versions(overlay, [])).toEqual(['10']);
    overlay.asked([], [pool('10')]);
    expect(versions(overlay, [pool('10')])).toEqual([]);
    overlay.asked([pool('14', 'other')], [pool('10')]);
    expect(versions(overlay, [pool('10')])).toEqual(['14']);
    expect(versions(overlay, [pool('15', 'other')])).toEqual(['15']);
  });

  it('trusts the watch alone after a failure', () => {
    const overlay = new Overlay();
    overlay.wrote(pool('10'));
    overlay.clear();
    expect(versions(overlay, [])).toEqual([]);
  });
});
