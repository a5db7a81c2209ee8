import type { Service } from '../api/core.ts';
import { type Address, formatAddress, parseAddress } from '../ip/address.ts';
import { type Choice, choose, chooseSecond, inTextOrder } from './choose.ts';
import { isAmong, isSame } from './claim.ts';
import type { Ledger } from './ledger.ts';
import type { Refusal, Stay } from './reasons.ts';
import { keepsFamily, settle, type Transit, together, transitOf } from './transit.ts';
import { familyOf, type Want, wantOf } from './want.ts';

/** What people are told about on the way; the program turns notes into Events. */
export type Note =
  | { readonly note: 'allocated'; readonly addresses: readonly Address[]; readonly pool: string }
  | { readonly note: 'second-allocated'; readonly address: Address; readonly pool: string }
  | { readonly note: 'second-refused'; readonly refusal: Refusal }
  | { readonly note: 'cleared'; readonly addresses: readonly Address[]; readonly refusal: Refusal }
  | { readonly note: 'request-unreadable'; readonly refusal: Refusal }
  | { readonly note: 'not-enough-cluster-ips'; readonly refusal: Refusal }
  | { readonly note: 'unknown-address-family'; readonly texts: readonly string[] }
  | { readonly note: 'unknown-cluster-family'; readonly texts: readonly string[] }
  | { readonly note: 'not-allocated'; readonly refusal: Refusal }
  | { readonly note: 'moving'; readonly from: readonly Address[]; readonly to: readonly Address[] }
  | { readonly note: 'moved'; readonly from: readonly Address[]; readonly to: readonly Address[] }
  /** It keeps what it had: what it was to get is given back. */
  | { readonly note: 'move-undone'; readonly from: readonly Address[]; readonly to: readonly Address[] }
  | { readonly note: 'not-moved'; readonly addresses: readonly Address[]; readonly stay: Stay };

/**
 * What a Service's status is to say.
 * choice: it has these addresses. refusal: it has none, and why. kept: the status stays untouched although something is
 * wrong with the Service. none: it is no LoadBalancer and has nothing of ours.
 */
export type Verdict =
  | { readonly choice: Choice }
  | { readonly refusal: Refusal }
  | { readonly kept: Refusal; readonly choice?: Choice }
  | { readonly none: true };

export interface Outcome {
  readonly verdict: Verdict;
  readonly notes: readonly Note[];
}

/** What the caller knows of moves. */
export interface MoveState {
  /** The Service has shown old and new addresses together for as long as it should. */
  readonly overlapped?: boolean;
  /** Its addresses lie in a moving range, and cannot be moved for this reason. */
  readonly stay?: Stay | undefined;
}

const AT_REST: MoveState = {};

/**
 * The one decision for a Service in its present state: checks what its status says it has, keeps it where the Config
 * and its own wishes allow, and otherwise chooses anew. The ledger holds the result afterwards.
 * Idempotent: a Service whose status says what was decided is left as it is.
 */
export function converge(ledger: Ledger, service: Service, moves: MoveState = AT_REST): Outcome {
  const notes: Note[] = [];
  const want = wantOf(service);
  const pass: Pass = { ledger, want, notes };
  const impossible = hopeless(pass, service);
  if (impossible) {
    ledger.release(want.key);
    return { verdict: impossible, notes };
  }
  const move = moveOf(pass, service, moves.overlapped ?? false);
  if (move && 'verdict' in move) return { verdict: move.verdict, notes };
  const texts = move ? move.transit[move.side].map(formatAddress) : ingressTexts(service);
  if (texts.length > 0 && want.family === 'unknown') {
    notes.push({ note: 'unknown-cluster-family', texts: want.clusterIPs });
    return { verdict: { kept: { refused: 'unknown-cluster-family', clusterIPs: want.clusterIPs } }, notes };
  }
  const present = presentOf(pass, texts);
  const kept = reassert(pass, present);
  const held = kept && move ? arrived(pass, move, kept) : kept;
  if (present.length > 0 && 'refused' in want.request) {
    notes.push({ note: 'request-unreadable', refusal: want.request });
    if (!held) {
      notes.push({ note: 'not-allocated', refusal: want.request });
      return { verdict: { refusal: want.request }, notes };
    }
    // The end of a move is written all the same.
    return { verdict: move ? { choice: held } : { kept: want.request, choice: held }, notes };
  }
  const honoured = held && honourRequest(pass, held);
  if (honoured) return { verdict: { choice: completed(pass, staying(pass, honoured, moves.stay)) }, notes };
  return { verdict: anew(pass, held?.addresses), notes };
}

/** One Service under decision. */
interface Pass {
  readonly ledger: Ledger;
  readonly want: Want;
  readonly notes: Note[];
}

/** The end of a move, on one side or the other. */
interface Arrival {
  readonly transit: Transit;
  readonly side: 'before' | 'after';
}

/** Of a Service in a move, what it is to have: both, or the addresses of one side. */
function moveOf(
  pass: Pass,
  service: Service,
  overlapped: boolean,
): { readonly verdict: Verdict } | Arrival | undefined {
  const { ledger, want } = pass;
  const transit = transitOf(ledger, want.key, service);
  const side = transit && settle({ ledger, want, transit, overlapped });
  if (!transit || !side) return undefined;
  return side === 'both' ? { verdict: moving(pass, service, transit) } : { transit, side };
}

/** Holds old and new addresses, and shows both. */
function moving({ ledger, want, notes }: Pass, service: Service, transit: Transit): Verdict {
  const addresses = together(transit);
  const [from, to] = differing(transit);
  if (ingressTexts(service).length !== addresses.length) notes.push({ note: 'moving', from, to });
  const claim = ledger.claim(want, transit.before, transit.after);
  if ('refused' in claim) return { refusal: claim };
  const { pool, next } = claim;
  return { choice: { addresses, pool, because: 'moving', move: { from, to, pool: next?.pool ?? pool } } };
}

function arrived({ notes }: Pass, { transit, side }: Arrival, kept: Choice): Choice {
  const [from, to] = differing(transit);
  notes.push({ note: side === 'after' ? 'moved' : 'move-undone', from, to });
  return side === 'after' ? { ...kept, because: 'moved' } : kept;
}

/** What goes and what comes, without what stays. */
function differing({ before, after }: Transit): readonly [readonly Address[], readonly Address[]] {
  const only = (list: readonly Address[], other: readonly Address[]) =>
    list.filter((address) => !isAmong(address, other));
  return [only(before, after), only(after, before)];
}

/** Says of a Service in a moving range why it stays there. */
function staying({ notes }: Pass, held: Choice, stay: Stay | undefined): Choice {
  if (!stay) return held;
  notes.push({ note: 'not-moved', addresses: held.addresses, stay });
  return { ...held, stay };
}

/** Gives up what is held and chooses afresh. */
function anew(pass: Pass, left: readonly Address[] = []): Verdict {
  const { ledger, want, notes } = pass;
  ledger.release(want.key);
  const chosen = choose(ledger, want, left);
  if ('refused' in chosen) {
    notes.push({ note: 'not-allocated', refusal: chosen });
    return { refusal: chosen };
  }
  notes.push({ note: 'allocated', addresses: chosen.addresses, pool: chosen.pool });
  return { choice: completed(pass, chosen) };
}

/** Claims what the status of a Service says it has, if it may have it: the first pass after a start, before any choice. */
export function adopt(ledger: Ledger, service: Service): boolean {
  if (service.spec.type !== 'LoadBalancer') return false;
  const want = wantOf(service);
  const pass: Pass = { ledger, want, notes: [] };
  const move = moveOf(pass, service, false);
  if (move && 'verdict' in move) return 'choice' in move.verdict;
  const texts = move ? move.transit[move.side].map(formatAddress) : ingressTexts(service);
  return reassert(pass, presentOf(pass, texts)) !== undefined;
}

const NOTHING: readonly string[] = [];

/** The addresses in the status; entries without one (host names) are not ours and count for nothing. */
export function ingressTexts(service: Service): readonly string[] {
  const { ingress } = service.status;
  return ingress.length === 0 ? NOTHING : ingress.map((entry) => entry.ip ?? '').filter((ip) => ip !== '');
}

function hopeless({ ledger, want, notes }: Pass, service: Service): Verdict | undefined {
  if (service.spec.type !== 'LoadBalancer') return { none: true };
  if (ledger.config.pools.size === 0) return { refusal: { refused: 'no-pools' } };
  if (want.clusterIPs.length === 0) return { refusal: { refused: 'no-cluster-ips' } };
  if (want.policy === 'RequireDualStack' && service.spec.clusterIPs.length < 2) {
    const refusal: Refusal = { refused: 'single-cluster-ip' };
    notes.push({ note: 'not-enough-cluster-ips', refusal });
    return { refusal };
  }
  return undefined;
}

const NOWHERE: readonly Address[] = [];

/** The addresses of the status; none where they are not of a family that the Service may keep. */
function presentOf({ want, notes }: Pass, texts: readonly string[]): readonly Address[] {
  if (texts.length === 0) return NOWHERE;
  const present = texts.map((text) => parseAddress(text));
  const family = familyOf(present);
  if (family === 'unknown') notes.push({ note: 'unknown-address-family', texts });
  return keepsFamily(family, want) ? present.filter((address) => address !== undefined) : NOWHERE;
}

/** Claims the present addresses again, with the present ports and keys. Undefined when the Service may not keep them. */
function reassert({ ledger, want, notes }: Pass, addresses: readonly Address[]): Choice | undefined {
  if (addresses.length === 0) {
    ledger.release(want.key);
    return undefined;
  }
  const claim = ledger.claim(want, addresses);
  if ('refused' in claim) {
    notes.push({ note: 'cleared', addresses, refusal: claim });
    ledger.release(want.key);
    return undefined;
  }
  if (want.pool !== undefined && claim.pool !== want.pool) {
    ledger.release(want.key);
    return undefined;
  }
  return { addresses, pool: claim.pool, because: 'kept' };
}

/** The held addresses if the Service asks for none or for just these; two that are asked for stand in the order of their text. */
function honourRequest({ ledger, want }: Pass, held: Choice): Choice | undefined {
  const request = 'refused' in want.request ? [] : want.request;
  if (request.length === 0) return held;
  const addresses = inTextOrder(held.addresses);
  const asked = inTextOrder(request);
  const same = asked.length === addresses.length && asked.every((a, i) => isSame(a, addresses[i]));
  if (!same) return undefined;
  const claim = ledger.claim(want, addresses);
  return 'refused' in claim ? undefined : { ...held, addresses };
}

/** Where PreferDualStack lacks a family and asks for no address, the second one when there is room for it. */
function completed({ ledger, want, notes }: Pass, held: Choice): Choice {
  if (want.policy !== 'PreferDualStack' || want.family !== 'dual') return held;
  const [only] = held.addresses;
  const free = 'refused' in want.request || want.request.length === 0;
  if (!free || only === undefined || held.addresses.length !== 1) return held;
  const both = chooseSecond(ledger, want, only);
  if ('refused' in both) {
    notes.push({ note: 'second-refused', refusal: both });
    return held;
  }
  const [, address = only] = both.addresses;
  notes.push({ note: 'second-allocated', address, pool: both.pool });
  return both;
}
