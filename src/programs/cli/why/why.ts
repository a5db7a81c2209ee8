import { ALLOCATED, findCondition } from '../../../domain/api/conditions.ts';
import type { Service } from '../../../domain/api/core.ts';
import { keyOf } from '../../../domain/api/object.ts';
import { problemText } from '../../../domain/api/problem.ts';
import { type Config, poolOf, type Suspect } from '../../../domain/config/config.ts';
import { load } from '../../../domain/config/load.ts';
import { formatAddress } from '../../../domain/ip/address.ts';
import { byAge } from '../../../domain/ipam/age.ts';
import { adopt, converge, ingressTexts, type Verdict } from '../../../domain/ipam/converge.ts';
import { answerWord, explain, passedText, type Round } from '../../../domain/ipam/explain.ts';
import { Ledger } from '../../../domain/ipam/ledger.ts';
import { addressList, becauseText, refusalText, stayText } from '../../../domain/ipam/reasons.ts';
import { rememberedIn } from '../../../domain/ipam/reserve.ts';
import { type Want, wantOf } from '../../../domain/ipam/want.ts';
import { type Announcing, announcing } from './announcing.ts';
import type { Picture } from './picture.ts';
import { type Said, saidOf } from './said.ts';

/** The whole decision about one Service. */
export interface Why {
  /** "namespace/name". */
  readonly service: string;
  readonly state: 'Allocated' | 'Waiting' | 'NotServed';
  /** Those that its status shows. */
  readonly addresses: readonly string[];
  /** Why it has them, or why it has none. */
  readonly because: string;
  /** The condition herald.io/Allocated, as it stands there. */
  readonly condition?: { readonly reason: string; readonly message: string; readonly since: string };
  /** In the order in which they are looked at; what each would give if the Service asked now. */
  readonly pools: readonly PoolLine[];
  readonly reservations: readonly { readonly name: string; readonly text: string }[];
  readonly quotas: readonly { readonly name: string; readonly text: string }[];
  /** Addresses of its pools that nobody is given. */
  readonly quarantined: readonly { readonly name: string; readonly text: string }[];
  /** Absent for a Service that is not served. */
  readonly announcing?: Announcing;
  readonly said: Said;
  /** What the reader has to know beside it, a line each. */
  readonly remarks: readonly string[];
}

export interface PoolLine {
  readonly pool: string;
  readonly round: Round;
  /** Addresses that the Service has of it. */
  readonly has: readonly string[];
  readonly offers: readonly string[];
  /** Absent where it offers some. */
  readonly reason?: string;
  readonly message?: string;
}

export interface WhyOptions {
  /** Only Services of this spec.loadBalancerClass are served; "" means those without one. */
  readonly lbClass: string;
  /** Ends of quarantines are judged by it. */
  readonly now: Date;
}

/** Decides for the Service of the picture as controller and speakers do. Undefined when there is no such Service. */
export function why(picture: Picture, { lbClass, now }: WhyOptions): Why | undefined {
  const { service } = picture;
  if (!service) return undefined;
  const remarks: string[] = [];
  const said = findCondition(service.status.conditions, ALLOCATED);
  const base = {
    service: keyOf(service),
    addresses: ingressTexts(service),
    said: saidOf(picture, service),
    ...(said && {
      condition: { reason: said.reason, message: said.message, since: said.lastTransitionTime },
    }),
  };
  const nothing = { pools: [], reservations: [], quotas: [], quarantined: [], remarks };
  const unserved = notServed(service, lbClass);
  if (unserved !== undefined) return { ...base, ...nothing, state: 'NotServed', because: unserved };
  const state = base.addresses.length > 0 ? 'Allocated' : 'Waiting';
  const announced = { announcing: announcing(picture, service, { lbClass, remarks }) };
  const config = configOf(picture, remarks);
  if (!config)
    return { ...base, ...nothing, ...announced, state, because: said?.message ?? 'nothing is said yet' };
  if (picture.namespaces.length === 0)
    remarks.push('Services, Namespaces and Nodes may not be read: which addresses others have is not known.');
  const ledger = ledgerOf(picture, config, lbClass);
  const want = wantOf(service);
  // An address that it has counts in its quotas, and it could have that again.
  const quotas = quotasOf(ledger, want);
  const reservations = reservationsOf(config, want);
  const quarantined = quarantinedIn(config, now);
  for (const { address, reason } of quarantined)
    ledger.quarantine.add({ address, reason, since: 0, until: Number.POSITIVE_INFINITY });
  const { verdict } = converge(ledger, service);
  const held = ledger.claimOf(want.key)?.addresses ?? [];
  if (differs(verdict, base.addresses))
    remarks.push(`The status does not show it yet: the controller would say "${verdictText(verdict)}".`);
  ledger.release(want.key);
  const pools = explain(ledger, want, held).map((found): PoolLine => {
    const { pool, round, answer } = found;
    const has = held
      .filter((address) => base.addresses.includes(formatAddress(address)))
      .filter((address) => poolOf(config, address)?.name === pool)
      .map(formatAddress);
    if ('offers' in answer) return { pool, round, has, offers: answer.offers.map(formatAddress) };
    return { pool, round, has, offers: [], reason: answerWord(found), message: passedText(answer) };
  });
  const because = state === 'Allocated' && said?.status === 'True' ? said.message : verdictText(verdict);
  return {
    ...base,
    ...announced,
    state,
    because,
    pools,
    reservations,
    quotas,
    quarantined: quarantined.map(named),
    remarks,
  };
}

function notServed({ spec }: Service, lbClass: string): string | undefined {
  if (spec.type !== 'LoadBalancer') return `it is of type ${spec.type}, not LoadBalancer`;
  const { loadBalancerClass = '' } = spec;
  if (loadBalancerClass === lbClass) return undefined;
  const served = lbClass === '' ? 'Services without one' : `those of ${lbClass}`;
  return `its loadBalancerClass is ${loadBalancerClass || 'absent'}; served are ${served} (--lb-class)`;
}

function configOf(picture: Picture, remarks: string[]): Config | undefined {
  const { pools, communities, namespaces, reservations, quotas } = picture;
  const loaded = load({
    pools,
    communities,
    namespaces,
    reservations,
    quotas,
    l2Advertisements: [],
    bgpAdvertisements: [],
    bgpPeers: [],
    bfdProfiles: [],
  });
  if ('problems' in loaded) {
    const texts = loaded.problems.map(problemText).join('; ');
    remarks.push(`The controller refuses the present objects, and goes on with the last good ones: ${texts}`);
    return undefined;
  }
  remarks.push(...loaded.warnings.map((problem) => `Without effect: ${problemText(problem)}`));
  return loaded.config;
}

/** Everybody's addresses, as a controller that starts takes them over. */
function ledgerOf({ services, reservations }: Picture, config: Config, lbClass: string): Ledger {
  const ledger = new Ledger(config, rememberedIn(reservations));
  const served = services.filter((service) => notServed(service, lbClass) === undefined);
  for (const service of served.toSorted(byAge)) adopt(ledger, service);
  return ledger;
}

function quotasOf(ledger: Ledger, { namespace }: Want): Why['quotas'] {
  return (ledger.config.quotas ?? [])
    .filter(({ namespaces }) => namespaces?.has(namespace) ?? true)
    .map(({ name, addresses, each, pools }) => {
      const uses = ledger.quotaUses.filter((use) => use.quota.name === name);
      const use = uses.find((u) => u.namespace === (each ? namespace : undefined));
      const whom = each ? `namespace ${namespace} has` : 'its namespaces have';
      const where = pools ? ` of pool ${[...pools].join(', ')}` : '';
      return { name, text: `${whom} ${use?.used ?? 0} of ${addresses} addresses${where}` };
    });
}

function reservationsOf({ reservations = [] }: Config, { key, namespace }: Want): Why['reservations'] {
  return reservations
    .filter(
      (r) => r.namespace === namespace && (r.service === undefined || `${namespace}/${r.service}` === key),
    )
    .map(({ name, service, ranges }) => {
      const whom = service === undefined ? `namespace ${namespace}` : key;
      const what = ranges.length > 0 ? 'addresses' : 'the address that it has, or had last,';
      return { name, text: `keeps ${what} for ${whom}` };
    });
}

const quarantinedIn = ({ pools }: Config, now: Date): readonly Suspect[] =>
  [...pools.values()]
    .flatMap(({ quarantined = [] }) => quarantined)
    .filter(({ until }) => until === undefined || Date.parse(until) > now.getTime());

const named = ({ address, reason, until }: Suspect) => ({
  name: formatAddress(address),
  text: until === undefined ? reason : `${reason}, until ${until}`,
});

/** Whether the controller would write other addresses than the status shows. */
function differs(verdict: Verdict, shown: readonly string[]): boolean {
  if ('kept' in verdict) return false;
  const next = 'choice' in verdict ? verdict.choice.addresses.map(formatAddress) : [];
  return next.join() !== shown.join();
}

function verdictText(verdict: Verdict): string {
  if ('none' in verdict) return 'nothing of ours';
  if ('refusal' in verdict) return refusalText(verdict.refusal);
  if ('kept' in verdict) return refusalText(verdict.kept);
  const { addresses, pool, because, strategy, stay } = verdict.choice;
  const text = `${addressList(addresses)} from pool ${pool}: ${becauseText(because, strategy)}`;
  return stay ? `${text}, ${stayText(stay)}` : text;
}
