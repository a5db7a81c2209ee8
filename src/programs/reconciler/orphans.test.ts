import { describe, expect, test } from 'vitest';
import { live, rendered } from '../../domain/desired/desired.rig.ts';
import type { LiveObject } from '../../domain/desired/object.ts';
import { settle } from '../../domain/desired/settle.ts';
import { orphanage, withTakers } from './orphans.ts';

const WEB = { pools: { web: { addresses: ['192.0.2.0/28'] } } };

function labelled(label: string | undefined): LiveObject {
  const [object] = live(WEB);
  if (!object) throw new Error('no object');
  const labels: Record<string, string> = label === undefined ? {} : { 'herald.io/instance': label };
  return { ...object, metadata: { ...object.metadata, labels } };
}

describe('objects of a release that is no more', () => {
  test.each([
    ['of this release', 'herald', false],
    ['of a release that lives', 'other', false],
    ['of a release that is gone', 'gone', true],
    ['without label', undefined, false],
    ['with an empty label', '', false],
  ])('%s', (_, label, orphan) => {
    expect(orphanage('herald', new Set(['herald', 'other']))(labelled(label))).toBe(orphan);
  });

  test.each([
    ['gone', 'accepted'],
    ['other', 'refused'],
  ])('of %s, defined by a source: %s', (label, state) => {
    const built = [rendered(WEB)];
    const isOrphan = orphanage('herald', new Set(['herald', 'other']));
    const objects = withTakers([labelled(label)], built, isOrphan);
    const settled = settle({ instance: 'herald', built, live: objects, check: () => [] });
    expect(settled.verdicts.map((v) => v.state)).toEqual([state]);
  });
});
