import { describe, expect, it } from 'vitest';
import { Namespaces } from '../../domain/api/core.ts';
import { AddressQuotas } from '../../domain/api/herald.ts';
import { quotaOf } from '../../domain/config/quotas.ts';
import { standing } from './quotas.ts';

const quota = (spec: object) =>
  AddressQuotas.decode({
    metadata: { name: 'q', namespace: 'metallb-system', uid: 'u', resourceVersion: '1', generation: 1 },
    spec,
  });
const namespace = (name: string, labels: object) =>
  Namespaces.decode({ metadata: { name, uid: name, resourceVersion: '1', labels } });
const tenants = [namespace('t1', { tenant: 'a' }), namespace('t2', { tenant: 'a' }), namespace('t3', {})];

/** Status and condition for uses by namespace; "" is all together. */
function said(spec: object, used: Readonly<Record<string, number>>) {
  const object = quota(spec);
  const read = quotaOf(object, tenants);
  const uses = Object.entries(used).flatMap(([name, count]) =>
    'problems' in read ? [] : [{ quota: read, used: count, ...(name && { namespace: name }) }],
  );
  const { shown, ready, reason, message } = standing(object, uses, tenants);
  return { shown, text: `${ready ? 'True' : 'False'} ${reason}: ${message}` };
}

describe('the status of an AddressQuota', () => {
  it('says how many addresses are in use of how many', () => {
    expect(said({ addresses: 5 }, { '': 2 })).toEqual({
      shown: { used: 2, namespaces: [] },
      text: 'True Open: in use: 2 of 5',
    });
    expect(said({ addresses: 2 }, { '': 3 }).text).toBe('True Exhausted: in use: 3 of 2');
  });

  it('names the namespaces where each has its own, the fullest first', () => {
    expect(said({ addresses: 5, perNamespace: true }, { t3: 1, t2: 4, t1: 4 })).toEqual({
      shown: {
        used: 4,
        namespaces: [
          { name: 't1', used: 4 },
          { name: 't2', used: 4 },
          { name: 't3', used: 1 },
        ],
      },
      text: 'True Open: namespace t1 uses 4 of 5',
    });
    expect(said({ addresses: 5, perNamespace: true }, {}).text).toBe('True Open: in use: 0 of 5');
  });

  it('says what cannot be read', () => {
    const namespaceSelectors = [{ matchExpressions: [{ key: 'a', operator: 'Near' }] }];
    expect(said({ addresses: 5, namespaceSelectors }, {}).text).toMatch(
      /^False Invalid: spec\.namespaceSelectors\[0\]: /,
    );
  });
});

describe('an AddressQuota', () => {
  it.each<[object, readonly string[] | undefined]>([
    [{}, undefined],
    [{ namespaces: ['t3'] }, ['t3']],
    [{ namespaces: ['t9'], namespaceSelectors: [{ matchLabels: { tenant: 'a' } }] }, ['t9', 't1', 't2']],
    [{ namespaceSelectors: [{ matchLabels: { tenant: 'none' } }] }, []],
  ])('%j is for these namespaces', (spec, names) => {
    const read = quotaOf(quota({ addresses: 1, ...spec }), tenants);
    expect('problems' in read ? read : read.namespaces && [...read.namespaces]).toEqual(names);
  });
});
