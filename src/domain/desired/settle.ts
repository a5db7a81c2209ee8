import type { Problem } from '../api/problem.ts';
import { bgpMistakes } from './bgp-rules.ts';
import type { BgpBackEnd } from './bgp-set.ts';
import type { Built } from './build.ts';
import { refuseOverlaps, refuseTaken, refuseTwins } from './collide.ts';
import { sameJson } from './json.ts';
import {
  type DesiredObject,
  idOf,
  isOurs,
  type LiveObject,
  openContent,
  sourceOf,
  type View,
  viewOf,
} from './object.ts';
import { placeOf } from './path.ts';
import type { Member, Share } from './share.ts';
import { isError, located, problemOf, type Source } from './source.ts';
import { warnings } from './warnings.ts';

/**
 * A check of a whole set of objects, as the components that read them do it. Each answer names its object ("IPAddressPool web")
 * and the place in it ("spec.addresses[0]"); `plain` is the message without any value.
 */
export type Check = (objects: readonly View[]) => readonly (Problem & { readonly plain: string })[];

export interface SettleInput {
  /** The release. */
  readonly instance: string;
  readonly built: readonly Built[];
  /** All objects of owned kinds in Herald's namespace. */
  readonly live: readonly LiveObject[];
  readonly check: Check;
  /** What is to speak BGP; native when absent. */
  readonly bgp?: BgpBackEnd;
}

/**
 * accepted: its objects are to be. refused: it has errors, its live objects stay as they are. kept: it defines nothing any more, or
 * cannot be read yet, and its live objects stay as they are.
 */
export interface Verdict {
  readonly source: Pick<Source, 'name' | 'title'>;
  readonly state: 'accepted' | 'refused' | 'kept';
  readonly problems: readonly Problem[];
  /** What the source stands for from now on: rendered, or what is live of it. */
  readonly objects: readonly (DesiredObject | LiveObject)[];
}

export interface Settled {
  readonly verdicts: readonly Verdict[];
  /** The objects of all accepted sources. */
  readonly desired: readonly DesiredObject[];
}

/**
 * Judges all sources against each other and against what is live. A source counts whole: with one error its live objects stay
 * in its place, and the others are judged against those. Of two that collide the one already live wins; when neither is, both
 * are refused. Repeated until nothing more falls, so that the accepted set is consistent.
 */
export function settle(given: SettleInput): Settled {
  const input = { ...given, check: withBgp(given) };
  const shares = input.built.map((built) => shareOf(built, input));
  for (;;) {
    const before = shares.filter((s) => s.state === 'accepted').length;
    const members = membersOf(shares, input);
    refuseTaken(members, input.live, input.instance);
    refuseTwins(shares);
    refuseOverlaps(members);
    // The check of the whole runs only on a set without known collisions: it would report them again, less well.
    if (shares.filter((s) => s.state === 'accepted').length < before) continue;
    if (!refuseInvalid(members, shares, input)) break;
  }
  const members = membersOf(shares, input);
  for (const share of shares) share.problems.push(...warnings(share, members));
  return {
    verdicts: shares.map((s) => ({
      source: s.built.source,
      state: s.state,
      problems: s.problems,
      objects: s.state === 'accepted' ? s.built.objects : s.live,
    })),
    desired: shares.flatMap((s) => (s.state === 'accepted' ? s.built.objects : [])),
  };
}

/** The readers' check, and what upstream refuses about BGP objects that meet. Of one source by itself that is known already. */
function withBgp({ check, bgp: backEnd = 'native' }: SettleInput): Check {
  const place = (o: View, field: string) => `${field} of ${idOf(o)}`;
  return (objects) => [
    ...check(objects),
    ...bgpMistakes({ objects, backEnd, place })
      .filter(({ code }) => WHEN_THEY_MEET.has(code))
      .map(({ of, field, code, message, detail = message, hint }) => ({
        code,
        object: idOf(of),
        path: field,
        message: detail,
        plain: message,
        ...(hint !== undefined && { hint }),
      })),
  ];
}

const WHEN_THEY_MEET: ReadonlySet<string> = new Set([
  'AggregationInvalid',
  'LocalPrefClash',
  'PeersClash',
  'EchoOverIPv6',
]);

function shareOf(built: Built, { live, built: all, instance }: SettleInput): Share {
  // What another source takes over under the same name is not lost with this one.
  const takenOver = new Set(all.filter((b) => b !== built).flatMap((b) => b.objects.map((o) => idOf(o))));
  const own = live.filter((o) => isOurs(o, instance) && sourceOf(o) === built.source.name);
  const problems = [...built.problems];
  if (built.waiting !== undefined) return { built, state: 'kept', problems, live: own };
  if (problems.some(isError)) return { built, state: 'refused', problems, live: own };
  const left = own.filter((o) => !takenOver.has(idOf(viewOf(o))));
  if (built.objects.length > 0 || left.length === 0) return { built, state: 'accepted', problems, live: own };
  const rest = `${left.length} ${left.length === 1 ? 'object stays' : 'objects stay'} as they are`;
  problems.push(
    problemOf(built.source, {
      code: 'EmptyRender',
      path: '',
      message: `the source no longer defines anything; ${rest}`,
      hint: 'delete the objects to let them go',
    }),
  );
  return { built, state: 'kept', problems, live: left };
}

/** Everything that will be there: fresh objects, live ones of sources that fell, and those that others made. */
function membersOf(shares: readonly Share[], { live, instance }: SettleInput): readonly Member[] {
  const members: Member[] = [];
  const present = new Set<string>();
  const add = (member: Member) => {
    members.push(member);
    present.add(idOf(member));
  };
  for (const share of shares) {
    if (share.state === 'accepted')
      for (const fresh of share.built.objects) add({ ...fresh, owner: share, fresh });
    else for (const o of share.live) add({ ...viewOf(o), owner: share });
  }
  const sources = new Set(shares.map((s) => s.built.source.name));
  for (const o of live) {
    const rendered = isOurs(o, instance) && sources.has(sourceOf(o) ?? '');
    if (!rendered && !present.has(idOf(viewOf(o)))) add(viewOf(o));
  }
  return members;
}

/** What the readers of the objects would refuse. True when a source fell. */
function refuseInvalid(members: readonly Member[], shares: readonly Share[], input: SettleInput): boolean {
  const problems = input.check(members);
  if (problems.length === 0) return false;
  const byId = new Map(members.map((m) => [idOf(m), m]));
  const live = new Map(input.live.map((o) => [idOf(viewOf(o)), o]));
  const known = new Set(input.check(input.live.map(viewOf)).map(keyOf));
  const standing = shares.filter((s) => s.state === 'accepted');
  for (const problem of problems) {
    const member = byId.get(problem.object ?? '');
    if (member?.fresh && member.owner) blame(member.owner, problem, member.fresh);
    // It is about an object that stays as it is: whoever changes something beside it brought the collision.
    else if (!known.has(keyOf(problem)))
      for (const share of standing.filter((s) => changes(s, live))) blame(share, problem);
  }
  return standing.some((s) => s.state !== 'accepted');
}

const keyOf = (p: Problem) => `${p.code} ${p.object ?? ''} ${p.path}`;

function changes(share: Share, live: ReadonlyMap<string, LiveObject>): boolean {
  return share.built.objects.some((o) => {
    const before = live.get(idOf(o));
    return !before || !sameJson(openContent(before.content), openContent(o.content));
  });
}

function blame(share: Share, problem: Problem & { readonly plain: string }, fresh?: DesiredObject): void {
  const { plain, ...told } = problem;
  const { source } = share.built;
  const path = fresh ? placeOf(fresh, problem.path) : '';
  share.problems.push(located(source, { ...told, path, ...(source.secret && { message: plain }) }));
  share.state = 'refused';
}
