import { describe, expect, it } from 'vitest';
import { source } from './desired.rig.ts';
import type { Draft } from './draft.ts';
import { fitDraft } from './fit.ts';
import { placeOf } from './path.ts';

const draft = (spec: Draft['spec'], o: Partial<Draft> = {}): Draft => ({
  section: 'pools',
  name: 'web',
  path: 'their_pools.web',
  ...o,
  spec,
});

describe('a draft of another product', () => {
  it('passes when it fits', () => {
    const given = draft({ addresses: ['192.0.2.0/24'], autoAssign: false });
    expect(fitDraft(source({}), given)).toEqual({ draft: given, problems: [] });
  });

  it('loses fields that its kind does not know, with a warning', () => {
    const given = draft({
      addresses: ['192.0.2.0/24'],
      color: 'red',
      serviceAllocation: { serviceSelectors: [{}, { matchLabels: {}, extra: 1 }] },
    });
    const { draft: fitted, problems } = fitDraft(source({}), given);
    expect(fitted?.spec).toEqual({
      addresses: ['192.0.2.0/24'],
      serviceAllocation: { serviceSelectors: [{}, { matchLabels: {} }] },
    });
    expect(problems.map((p) => [p.code, p.severity, p.path])).toEqual([
      ['UnknownKey', 'warning', 'their_pools.web.color'],
      ['UnknownKey', 'warning', 'their_pools.web.serviceAllocation.serviceSelectors[1].extra'],
    ]);
  });

  it('lacks what a misspelt field stands for', () => {
    const peer = draft({ myAsn: 64500, peerASN: 64501, peerAddress: '192.0.2.1' }, { section: 'bgpPeers' });
    expect(fitDraft(source({}), peer).problems.map((p) => [p.code, p.path, p.hint])).toEqual([
      ['UnknownKey', 'their_pools.web.myAsn', 'did you mean "myASN"?'],
      ['MissingKey', 'their_pools.web.myASN', undefined],
    ]);
  });

  it('has the ranges of a misspelt field judged where they stand', () => {
    const { draft: fitted, problems } = fitDraft(source({}), draft({ Adresses: ['192.0.2.0/24'] }));
    expect(problems.map((p) => [p.code, p.path])).toEqual([
      ['UnknownKey', 'their_pools.web.Adresses'],
      ['MissingKey', 'their_pools.web.addresses'],
    ]);
    expect(fitted?.spec).toEqual({ addresses: ['192.0.2.0/24'] });
    expect(fitted && placeOf(fitted, 'spec.addresses[0]')).toBe('their_pools.web.Adresses[0]');
  });

  it('has no ranges where no field evidently means them', () => {
    expect(fitDraft(source({}), draft({ ranges: ['192.0.2.0/24'] })).draft).toBeUndefined();
  });

  it('is refused in the words of its source, and its ranges are judged all the same', () => {
    const fields = new Map([['autoAssign', 'their_pools.web.auto_assign']]);
    const given = draft({ addresses: ['192.0.2.0/24'], autoAssign: 'maybe' }, { fields });
    const { draft: fitted, problems } = fitDraft(source({}), given);
    expect(problems).toMatchObject([{ code: 'WrongType', path: 'their_pools.web.auto_assign' }]);
    expect(fitted?.spec).toEqual({ addresses: ['192.0.2.0/24'] });
    const broken = fitDraft(source({}), draft({ addresses: ['192.0.2.0/24', 5] }));
    expect(broken.problems).toMatchObject([{ code: 'WrongType', path: 'their_pools.web.addresses[1]' }]);
    expect(broken.draft?.spec).toEqual({ addresses: ['192.0.2.0/24'] });
    const second = fitDraft(source({}), draft({ addresses: [5, 'x'] })).draft;
    expect(second && placeOf(second, 'spec.addresses[0]')).toBe('their_pools.web.addresses[1]');
    expect(fitDraft(source({}), draft({ addresses: [5] })).draft).toBeUndefined();
  });

  it('keeps its name, whatever the schema of our own values says of names', () => {
    expect(
      fitDraft(source({}), draft({ addresses: ['192.0.2.0/24'] }, { name: 'My_Pool' })).problems,
    ).toEqual([]);
  });
});
