import { APPROVE } from '../../domain/api/annotations.ts';
import type { Affected, SourceChange, Step } from '../../domain/change/model.ts';
import { eachOnce, summaryOf, summaryText } from '../../domain/change/summary.ts';
import { stateOf } from './plan-object.ts';
import { cut, LONGEST, type Progress } from './status.ts';
import { type Unreadable, unreadableText } from './unreadable.ts';

/** Services that a message names; the Plan names more. */
const NAMED = 3;

export interface WaitingInput {
  readonly change: SourceChange | undefined;
  /** Herald's namespace, for the command that approves. */
  readonly namespace: string;
  /** Kinds without which nobody knows whom a change hurts. */
  readonly blind: readonly Unreadable[];
}

/** How far a source is whose change waits for somebody, or for Services to leave; undefined when none waits. */
export function waitingProgress({ change, namespace, blind }: WaitingInput): Progress | undefined {
  const state = stateOf(change);
  if (!change || state === 'Applying' || state === 'Applied') return undefined;
  if (state === 'Held') {
    const held = change.steps.filter((s) => s.state === 'held');
    const reason = blind.length > 0 ? 'ServicesUnreadable' : 'HeldInUse';
    const why = blind.length > 0 ? blindText(held, blind) : heldText(held);
    const ways = waysOn(change, namespace, held);
    // The ways on are whole, whatever the names of the Services.
    return { kind: 'stalled', reason, message: `${cut(why, LONGEST - ways.length - 2)}. ${ways}` };
  }
  const waiting = change.steps.filter((s) => s.state === 'draining' || s.state === 'moving');
  return { kind: 'working', reason: state, message: cut(leavingText(waiting)) };
}

function heldText(held: readonly Step[]): string {
  const affected = eachOnce(held.flatMap((s) => s.affected));
  const why = affected.map((a) => `${a.service} (${a.reason})`);
  const because = [...new Set(held.flatMap((s) => s.because ?? []))];
  const details = named(why.length > 0 ? why : because);
  return `held: ${textOf(held, affected)}${details === '' ? '' : `: ${details}`}`;
}

function textOf(steps: readonly Step[], affected: readonly Affected[]): string {
  return summaryText(summaryOf(steps, affected));
}

function blindText(held: readonly Step[], blind: readonly Unreadable[]): string {
  return `held: ${textOf(held, [])}; whom it would hurt is not known, as ${blind.map(unreadableText).join('; ')}`;
}

function waysOn({ source, digest }: SourceChange, namespace: string, held: readonly Step[]): string {
  const approve = `kubectl -n ${namespace} annotate --overwrite plan ${source} ${APPROVE}=${digest}`;
  const first = held[0]?.path ?? '';
  return (
    'It goes on when the Services have left or the change is taken back. Or set change.policy to drain, move or force ' +
    `(onChange at ${cut(first, 100)} for this entry alone), or approve just this: ${approve}`
  );
}

function leavingText(waiting: readonly Step[]): string {
  const affected = eachOnce(waiting.flatMap((s) => s.affected));
  const count = `${affected.length} ${affected.length === 1 ? 'Service' : 'Services'}`;
  const names = named(affected.map((a) => `${a.service} (${a.addresses.join(', ')})`));
  return `${textOf(waiting, [])} once ${count} left${names === '' ? '' : `: ${names}`}`;
}

function named(texts: readonly string[]): string {
  const more = texts.length - NAMED;
  return [...texts.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
