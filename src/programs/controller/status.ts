import { IP_ALLOCATED_FROM_POOL } from '../../domain/api/annotations.ts';
import { ALLOCATED, type Condition, findCondition, withCondition } from '../../domain/api/conditions.ts';
import type { Service } from '../../domain/api/core.ts';
import { formatAddress } from '../../domain/ip/address.ts';
import type { Choice } from '../../domain/ipam/choose.ts';
import type { Verdict } from '../../domain/ipam/converge.ts';
import {
  addressList,
  becauseText,
  type Refusal,
  reasonWord,
  refusalText,
  stayText,
} from '../../domain/ipam/reasons.ts';
import { withoutCounts } from '../../domain/ipam/withheld.ts';

/** Reason of the condition of a Service whose address is in a moving range and stays there. */
const NOT_MOVED = 'NotMoved';

export interface StatusChange {
  /** A merge patch of /status: addresses, pool annotation and condition in one write, on the version that was judged. */
  readonly body: object;
  /** True when addresses or pool change, false when only the condition says more. */
  readonly substance: boolean;
}

type Said = Pick<Condition, 'status' | 'reason' | 'message'>;

/** What must be written so that the status says the verdict; undefined when it does already. `now` is RFC 3339. */
export function statusChange(service: Service, verdict: Verdict, now: string): StatusChange | undefined {
  const ingress = ingressChange(service, verdict);
  const annotation = annotationChange(service, verdict);
  const conditions = conditionChange(service, verdict, now);
  const substance = ingress !== undefined || annotation !== undefined;
  if (!substance && conditions === undefined) return undefined;
  const { resourceVersion } = service.metadata;
  const metadata = {
    resourceVersion,
    ...(annotation !== undefined && { annotations: { [IP_ALLOCATED_FROM_POOL]: annotation } }),
  };
  const status = {
    ...(ingress && { loadBalancer: { ingress: ingress.length > 0 ? ingress : null } }),
    ...(conditions && { conditions }),
  };
  return { body: { metadata, status }, substance };
}

/** Addresses that the status is to hold; undefined: whatever is there. */
function wanted(verdict: Verdict): readonly string[] | undefined {
  if ('kept' in verdict) return undefined;
  return 'choice' in verdict ? verdict.choice.addresses.map(formatAddress) : [];
}

/**
 * The server fills in `ipMode: VIP` by itself, so that it counts as absent; upstream compares without that and writes each
 * Service again on each pass.
 */
function ingressChange(service: Service, verdict: Verdict): readonly { ip: string }[] | undefined {
  const texts = wanted(verdict);
  if (texts === undefined) return undefined;
  const present = service.status.ingress;
  const same =
    present.length === texts.length &&
    present.every(
      ({ ip, ipMode = 'VIP', hostname = '', ports = [] }, i) =>
        ip === texts[i] && ipMode === 'VIP' && hostname === '' && ports.length === 0,
    );
  return same ? undefined : texts.map((ip) => ({ ip }));
}

/** The pool's name, null to remove the annotation, undefined to leave it. */
function annotationChange(service: Service, verdict: Verdict): string | null | undefined {
  if ('kept' in verdict) return undefined;
  const present = service.metadata.annotations[IP_ALLOCATED_FROM_POOL];
  const pool = 'choice' in verdict ? verdict.choice.pool : undefined;
  if (present === pool) return undefined;
  return pool ?? null;
}

function conditionChange(service: Service, verdict: Verdict, now: string): readonly Condition[] | undefined {
  const present = service.status.conditions;
  const before = findCondition(present, ALLOCATED);
  const said = saying(verdict, before);
  if (said === 'silence') return undefined;
  if (said === undefined) return before && present.filter((c) => c.type !== ALLOCATED);
  const { generation } = service.metadata;
  const same =
    before?.status === said.status &&
    before.reason === said.reason &&
    before.message === said.message &&
    (before.observedGeneration ?? 0) === generation;
  if (same) return undefined;
  const seen = generation > 0 ? { observedGeneration: generation } : {};
  return withCondition(present, { type: ALLOCATED, ...said, ...seen }, now);
}

/** What the condition is to say; undefined: it goes; silence: it stays as it is. */
function saying(verdict: Verdict, before: Condition | undefined): Said | undefined | 'silence' {
  if ('none' in verdict) return undefined;
  if ('refusal' in verdict) return refusing(verdict.refusal, before);
  if (!('kept' in verdict)) return allocated(verdict.choice, before);
  const { kept, choice } = verdict;
  if (!choice) return 'silence';
  const message = `keeps ${addressList(choice.addresses)} from pool ${choice.pool}: ${refusalText(kept)}`;
  return { status: 'True', reason: reasonWord(kept.refused), message };
}

/** Counts of what is kept back are those of the moment: while they alone change, those who wait are not written again. */
function refusing(refusal: Refusal, before: Condition | undefined): Said {
  const text = refusalText(refusal);
  const goesOn = before?.status === 'False' && withoutCounts(before.message) === withoutCounts(text);
  return {
    status: 'False',
    reason: reasonWord(refusal.refused),
    message: goesOn ? before.message : text,
  };
}

/** The reason of the first choice stays while the addresses stay, so that keeping an address writes nothing. */
function allocated(choice: Choice, before: Condition | undefined): Said {
  const { because, move, stay, pool } = choice;
  if (move) {
    const to = `${addressList(move.to)} from pool ${move.pool}`;
    const message = `${addressList(move.from)} from pool ${pool} moves to ${to}: ${becauseText(because)}`;
    return { status: 'True', reason: reasonWord(because), message };
  }
  const what = `${addressList(choice.addresses)} from pool ${pool}: `;
  if (stay) {
    const message = `${what}not moved out of its range, as ${stayText(stay)}`;
    return { status: 'True', reason: NOT_MOVED, message };
  }
  const goesOn = before?.status === 'True' && before.reason !== NOT_MOVED && before.message.startsWith(what);
  if (because === 'kept' && goesOn) return { status: 'True', reason: before.reason, message: before.message };
  return {
    status: 'True',
    reason: reasonWord(because),
    message: what + becauseText(because, choice.strategy),
  };
}
