import type { Strategy } from '../config/config.ts';
import { type Address, formatAddress } from '../ip/address.ts';
import { type Withheld, withheldText } from './withheld.ts';

/** The families of a Service's cluster addresses; `unknown` when they make no sense. */
export type ServiceFamily = 'IPv4' | 'IPv6' | 'dual' | 'unknown';

/** Why a Service has the addresses that it has. */
export type Because =
  /** It held them before and may keep them. */
  | 'kept'
  /** It asks for them by annotation or spec.loadBalancerIP. */
  | 'requested-address'
  /** They are kept for it. */
  | 'reserved'
  /** It had them before it was deleted and made again. */
  | 'returned'
  /** One that is free of the pool that it asks for. */
  | 'requested-pool'
  /** Likewise, of a pool whose serviceAllocation matches it. */
  | 'matching-pool'
  /** Likewise, of a pool that is open to all. */
  | 'open-pool'
  /** PreferDualStack: the family that was missing came free in its pool. */
  | 'second-family'
  /** Its range is given up: it gets others, and has both for a while. */
  | 'moving'
  /** It got them in place of others whose range is given up. */
  | 'moved';

/** Why a Service in a moving range stays there. */
export type Stay =
  /** It asks for its address by annotation or spec.loadBalancerIP. */
  | { readonly stay: 'requested-address' }
  /** It asks for its pool, which has no room outside the ranges that drain. */
  | { readonly stay: 'pinned'; readonly pool: string }
  /** No pool that it may use has room. */
  | { readonly stay: 'no-room' }
  /** It shares its address with a Service that stays. */
  | { readonly stay: 'shares'; readonly other: string; readonly because: Stay }
  /** Its group of Services has several addresses of one family, so that no single address could replace them. */
  | { readonly stay: 'tangled'; readonly others: readonly string[] };

/** Why a Service gets no address, or not the one that it asks for. */
export type Refusal =
  | { readonly refused: 'no-pools' }
  | { readonly refused: 'no-cluster-ips' }
  | { readonly refused: 'single-cluster-ip' }
  | { readonly refused: 'unknown-cluster-family'; readonly clusterIPs: readonly string[] }
  | { readonly refused: 'both-request-forms' }
  | {
      readonly refused: 'request-unreadable';
      readonly field: string;
      readonly text: string;
      readonly cause: string;
    }
  | {
      readonly refused: 'family-mismatch';
      readonly addresses: readonly Address[];
      readonly family: ServiceFamily;
    }
  | { readonly refused: 'outside-pools'; readonly addresses: readonly Address[] }
  | { readonly refused: 'too-many-addresses'; readonly addresses: readonly Address[] }
  | { readonly refused: 'same-family-twice'; readonly addresses: readonly Address[] }
  | { readonly refused: 'pool-not-for-service'; readonly pool: string }
  | {
      readonly refused: 'address-in-use';
      readonly address: Address;
      readonly holders: readonly string[];
      readonly cause: NoSharing;
    }
  | {
      readonly refused: 'port-in-use';
      readonly address: Address;
      readonly port: string;
      readonly holder: string;
    }
  | {
      readonly refused: 'not-in-requested-pool';
      readonly addresses: readonly Address[];
      readonly pool: string;
    }
  | { readonly refused: 'unknown-pool'; readonly pool: string }
  /** It is to be emptied: who holds it keeps it, nobody else gets it. */
  | { readonly refused: 'address-draining'; readonly address: Address; readonly pool: string }
  /** It is kept for somebody else. */
  | { readonly refused: 'address-reserved'; readonly address: Address; readonly whom: string }
  | {
      readonly refused: 'quota-exceeded';
      readonly quota: string;
      /** "namespace t1". */
      readonly whom: string;
      /** Empty: of all pools. */
      readonly pools: readonly string[];
      readonly used: number;
      readonly limit: number;
    }
  /** Somebody outside the cluster uses it. */
  | { readonly refused: 'address-quarantined'; readonly address: Address; readonly cause: string }
  | {
      readonly refused: 'pool-exhausted';
      readonly pool: string;
      readonly family: ServiceFamily;
      /** Absent: nothing is kept back. */
      readonly withheld?: Withheld;
    }
  | {
      readonly refused: 'no-room';
      readonly family: ServiceFamily;
      /** By all pools that could have given one. Absent: nothing is kept back. */
      readonly withheld?: Withheld;
    };

/** Why two Services may not have one address. */
export type NoSharing = 'holder-does-not-share' | 'service-does-not-share' | 'other-key' | 'other-backends';

const noSharing: Readonly<Record<NoSharing, string>> = {
  'holder-does-not-share': 'which does not share it',
  'service-does-not-share': 'and this Service has no sharing key',
  'other-key': 'under another sharing key',
  'other-backends': 'with externalTrafficPolicy Local and other backends',
};

/** `192.0.2.1, 2001:db8::1` */
export function addressList(addresses: readonly Address[]): string {
  return addresses.map(formatAddress).join(', ');
}

const familyName: Readonly<Record<ServiceFamily, string>> = {
  IPv4: 'IPv4',
  IPv6: 'IPv6',
  dual: 'dual-stack',
  unknown: 'unknown',
};

/** A refusal as a sentence without its full stop, for events, conditions and logs. Stable for equal causes. */
export function refusalText(r: Refusal): string {
  switch (r.refused) {
    case 'no-pools':
      return 'there is no address pool';
    case 'no-cluster-ips':
      return 'the Service has no cluster IP, so that its address family is unknown';
    case 'single-cluster-ip':
      return 'RequireDualStack needs two cluster IPs';
    case 'unknown-cluster-family':
      return `cluster IPs ${r.clusterIPs.join(', ')} are no address family`;
    case 'both-request-forms':
      return 'both metallb.io/loadBalancerIPs and spec.loadBalancerIP are set';
    case 'request-unreadable':
      return `${r.field} "${r.text}": ${r.cause}`;
    case 'family-mismatch':
      return `requested ${addressList(r.addresses)}, but the Service is ${familyName[r.family]}`;
    case 'outside-pools':
      return `${addressList(r.addresses)} ${r.addresses.length === 1 ? 'is in no pool' : 'are not in one pool'}`;
    case 'too-many-addresses':
      return `${addressList(r.addresses)} are more than two addresses`;
    case 'same-family-twice':
      return `${addressList(r.addresses)} are of one family`;
    case 'pool-not-for-service':
      return `pool ${r.pool} is not for this Service (its serviceAllocation)`;
    case 'address-in-use':
      return `${formatAddress(r.address)} is in use by ${r.holders.join(',')}, ${noSharing[r.cause]}`;
    case 'port-in-use':
      return `port ${r.port} of ${formatAddress(r.address)} is in use by ${r.holder}`;
    case 'not-in-requested-pool':
      return `requested ${addressList(r.addresses)} is not in requested pool ${r.pool}`;
    case 'unknown-pool':
      return `there is no pool ${r.pool}`;
    case 'address-draining':
      return `${formatAddress(r.address)} is in a draining range of pool ${r.pool}`;
    case 'address-reserved':
      return `${formatAddress(r.address)} is reserved for ${r.whom}`;
    case 'quota-exceeded': {
      const where = r.pools.length === 0 ? '' : ` of pool ${r.pools.join(', ')}`;
      const most = r.limit === 1 ? '1 address' : `${r.limit} addresses`;
      const now = r.used === 1 ? '1 is' : `${r.used} are`;
      return `quota ${r.quota} allows ${r.whom} ${most}${where}, and ${now} in use`;
    }
    case 'address-quarantined':
      return `${formatAddress(r.address)} is kept back: ${r.cause}`;
    case 'pool-exhausted':
      return `pool ${r.pool} has no free ${familyName[r.family]} address${keptBack(r.withheld)}`;
    case 'no-room':
      return `no pool has a free ${familyName[r.family]} address for this Service${keptBack(r.withheld)}`;
  }
}

function keptBack(withheld: Withheld | undefined): string {
  const text = withheld ? withheldText(withheld) : '';
  return text === '' ? '' : `, with ${text}`;
}

const BY: Readonly<Record<Strategy, string>> = {
  'least-recently-used': 'least recently used',
  hash: 'by the hash of its name, free',
};

/** A choice as a sentence part, to follow `192.0.2.1 from pool web: `. */
export function becauseText(because: Because, strategy?: Strategy): string {
  const one = strategy === undefined ? 'lowest free' : BY[strategy];
  switch (because) {
    case 'kept':
      return 'held before';
    case 'requested-address':
      return 'requested address';
    case 'reserved':
      return 'reserved for it';
    case 'returned':
      return 'had before it was deleted';
    case 'requested-pool':
      return `${one} of the requested pool`;
    case 'matching-pool':
      return `${one} of a pool whose serviceAllocation matches`;
    case 'open-pool':
      return `${one} of a pool open to all`;
    case 'second-family':
      return 'second family added';
    case 'moving':
      return 'its range is given up';
    case 'moved':
      return 'moved out of a range that is given up';
  }
}

/** Why a Service is not moved, as a sentence part. */
export function stayText(s: Stay): string {
  switch (s.stay) {
    case 'requested-address':
      return 'it asks for this address';
    case 'pinned':
      return `it asks for pool ${s.pool}, which has no free address outside its draining ranges`;
    case 'no-room':
      return 'no pool has a free address for it';
    case 'shares':
      return `${s.other} shares the address and stays: ${stayText(s.because)}`;
    case 'tangled':
      return `it shares addresses with ${s.others.join(', ')}, which have more than one of a family together`;
  }
}

/** `pool-exhausted` as Kubernetes writes reasons: `PoolExhausted`. */
export function reasonWord(reason: string): string {
  return reason.replace(/(^|-)(.)/g, (_, __, letter: string) => letter.toUpperCase()).replace('Ips', 'IPs');
}
