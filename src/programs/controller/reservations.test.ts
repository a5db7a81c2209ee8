import { describe, expect, it } from 'vitest';
import { type Reservation, Reservations } from '../../domain/api/herald.ts';
import { IPAddressPools } from '../../domain/api/metallb.ts';
import { load } from '../../domain/config/load.ts';
import { parseAddress } from '../../domain/ip/address.ts';
import { Ledger } from '../../domain/ipam/ledger.ts';
import { rememberedIn } from '../../domain/ipam/reserve.ts';
import { standing } from './reservations.ts';

const reservation = (spec: object, status?: object): Reservation =>
  Reservations.decode({
    metadata: { name: 'r', namespace: 'metallb-system', uid: 'u', resourceVersion: '1', generation: 1 },
    spec,
    ...(status && { status }),
  });

/** A ledger with pool 192.0.2.0/28 in which these Services have these addresses. */
function ledgerWith(object: Reservation, held: Readonly<Record<string, string>>): Ledger {
  const metadata = { name: 'a', namespace: 'metallb-system', uid: 'p', resourceVersion: '1', generation: 1 };
  const pool = IPAddressPools.decode({ metadata, spec: { addresses: ['192.0.2.0/28'] } });
  const none = {
    l2Advertisements: [],
    bgpAdvertisements: [],
    bgpPeers: [],
    bfdProfiles: [],
    communities: [],
  };
  const loaded = load({ ...none, pools: [pool], namespaces: [], reservations: [object] });
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const ledger = new Ledger(loaded.config);
  for (const [key, text] of Object.entries(held)) {
    const want = {
      key,
      namespace: key.split('/')[0] ?? '',
      labels: {},
      family: 'IPv4',
      clusterIPs: ['10.96.0.1'],
      policy: 'SingleStack',
      primary: 'IPv4',
      ports: ['TCP/80'],
      sharing: '',
      backend: '',
      request: [],
    } as const;
    const claim = ledger.claim(
      want,
      [parseAddress(text)].filter((a) => a !== undefined),
    );
    if ('refused' in claim) throw new Error(claim.refused);
  }
  return ledger;
}

const web = { namespace: 't1', service: 'web' };

describe('the status of a Reservation', () => {
  it.each<[string, object, Readonly<Record<string, string>>, string]>([
    ['is free', { ...web, addresses: ['192.0.2.1'] }, {}, 'True Kept: kept for t1/web; free'],
    [
      'is had by whom it is for',
      { ...web, addresses: ['192.0.2.1'] },
      { 't1/web': '192.0.2.1' },
      'True Kept: kept for t1/web; in use by t1/web',
    ],
    [
      'is for a namespace',
      { namespace: 't1', addresses: ['192.0.2.0/29'] },
      { 't1/b': '192.0.2.1', 't1/a': '192.0.2.2', 't2/c': '192.0.2.9' },
      'True Kept: kept for namespace t1; in use by t1/a, t1/b',
    ],
    [
      'is had by others',
      { ...web, addresses: ['192.0.2.1-192.0.2.2'] },
      { 't2/x': '192.0.2.2' },
      'False InUseByOthers: kept for t1/web once it is free; in use: 192.0.2.2 by t2/x',
    ],
    [
      'is far too large to be looked at address by address',
      { ...web, addresses: ['192.0.0.0/16'] },
      { 't2/x': '192.0.2.2' },
      'False InUseByOthers: kept for t1/web once it is free; in use: 192.0.2.2 by t2/x',
    ],
    [
      'is in no pool',
      { ...web, addresses: ['192.0.2.1', '198.51.100.0/24'] },
      {},
      'False OutsidePools: no pool has 198.51.100.0/24',
    ],
    [
      'cannot be read',
      { ...web, addresses: ['192.0.2.1', 'web'] },
      {},
      'False Invalid: spec.addresses[1]: "web" is neither a CIDR nor a range "start-end"',
    ],
    [
      'is to be what a Service gets',
      web,
      {},
      'False NoAddressYet: t1/web has no address yet; its first one is kept',
    ],
    ['is what a Service has', web, { 't1/web': '192.0.2.7' }, 'True Kept: kept for t1/web; in use by t1/web'],
  ])('says when what is kept %s', (_, spec, held, text) => {
    const object = reservation(spec);
    const said = standing(ledgerWith(object, held), object);
    expect(`${said.ready ? 'True' : 'False'} ${said.reason}: ${said.message}`).toBe(text);
  });

  it('lists addresses as people write them', () => {
    const object = reservation({ ...web, addresses: ['192.0.2.1', '192.0.2.4-192.0.2.6'] });
    expect(standing(ledgerWith(object, {}), object).shown.addresses).toEqual([
      '192.0.2.1',
      '192.0.2.4-192.0.2.6',
    ]);
  });

  it('remembers for those that name a Service and no addresses', () => {
    const status = { addresses: ['192.0.2.1', '2001:db8::1'] };
    const objects = [
      reservation(web, status),
      reservation({ namespace: 't2', addresses: ['192.0.2.4'] }, status),
    ];
    expect([...rememberedIn(objects)].map(([key, list]) => [key, list.length])).toEqual([['t1/web', 2]]);
  });
});
