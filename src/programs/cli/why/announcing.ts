import type { EndpointSlice, Service } from '../../../domain/api/core.ts';
import { problemText } from '../../../domain/api/problem.ts';
import { load } from '../../../domain/config/load.ts';
import { isCordoned } from '../../../domain/election/cordon.ts';
import { type Field, layOut } from '../../../domain/election/field.ts';
import { judge, type Verdict } from '../../../domain/election/judge.ts';
import { livenessByApi, nodeView } from '../../../domain/election/nodes.ts';
import { notOwnerText, ownerText, withdrawText } from '../../../domain/election/reasons.ts';
import type { Picture } from './picture.ts';

/** Who announces a Service on the local network: who should, and who says so. */
export interface Announcing {
  /** Whom the election gives, by what the API server knows of nodes and speakers. Absent: nobody. */
  readonly owner?: string;
  /** Why the owner, or why nobody. */
  readonly because: string;
  /** Every other node. */
  readonly others: readonly { readonly node: string; readonly why: string }[];
  /** What the speakers themselves say. */
  readonly reported: readonly { readonly node: string; readonly interfaces: readonly string[] }[];
  /** What may be behind it that the two are not the same. Absent: they are. */
  readonly difference?: string;
}

/**
 * The election as every speaker holds it, as far as the API server knows: a ring of speakers knows sooner who lives and whose
 * interfaces work. That all of them heed cordons is taken for granted. Problems of the objects are remarks: speakers go on with
 * the last good ones.
 */
export function announcing(
  picture: Picture,
  service: Service,
  o: { readonly lbClass: string; readonly remarks: string[] },
): Announcing {
  const reported = picture.statuses.flatMap(({ status }) =>
    status?.node === undefined
      ? []
      : [{ node: status.node, interfaces: (status.interfaces ?? []).map(({ name = '' }) => name) }],
  );
  const field = fieldOf(picture, o.remarks);
  if (!field) return { because: 'speakers refuse the present objects', others: [], reported };
  const slices = picture.slices ?? everywhere(picture, service);
  if (!picture.slices) o.remarks.push('Endpoints are not in the picture: taken as ready on every node.');
  if (picture.speakers.length === 0)
    o.remarks.push('Speakers are not in the picture: taken as running on every node.');
  const lbClass = o.lbClass === '' ? undefined : o.lbClass;
  const verdicts = [...field.nodes.keys()]
    .sort()
    .map((node) => ({ node, verdict: judge({ node, service, slices, field, lbClass }) }));
  const found = decided(verdicts, reported);
  const difference = differenceOf(found);
  return difference === undefined ? found : { ...found, difference };
}

const PASSING = 'a change of owner that is under way, or a status left behind by a speaker that is gone';

function differenceOf({ owner, reported }: Announcing): string | undefined {
  const names = reported.map(({ node }) => node);
  if (owner === undefined)
    return names.length === 0
      ? undefined
      : `By what the API server knows nobody should announce it: ${PASSING}.`;
  if (names.length === 0)
    return `No speaker says so. One that takes over does within moments: look at the speaker of ${owner}.`;
  if (!names.includes(owner))
    return `By what the API server knows it should be ${owner}. Speakers that form a ring know of dead nodes and lost interfaces before it does; the Events of the Service say why it moved.`;
  const others = names.filter((name) => name !== owner);
  return others.length === 0 ? undefined : `${others.join(', ')} should not: ${PASSING}.`;
}

function decided(
  verdicts: readonly { readonly node: string; readonly verdict: Verdict }[],
  reported: Announcing['reported'],
): Announcing {
  const others = verdicts.flatMap(({ node, verdict }) =>
    verdict.announce ? [] : [{ node, why: whyNot(verdict) }],
  );
  for (const { node, verdict } of verdicts)
    if (verdict.announce) return { owner: node, because: ownerText(verdict.because), others, reported };
  const [first] = verdicts;
  if (!first || first.verdict.announce) return { because: 'there is no node', others, reported };
  // What keeps the Service from being announced at all is said once.
  const reasons = new Set(verdicts.map(({ verdict }) => (verdict.announce ? '' : verdict.reason)));
  const { reason, why } = first.verdict;
  const general = reasons.size === 1 && (reason !== 'notOwner' || why === undefined);
  return general
    ? { because: withdrawText(reason), others: [], reported }
    : { because: 'no node can', others, reported };
}

type Not = Extract<Verdict, { announce: false }>;
const whyNot = ({ reason, why }: Not): string =>
  why === undefined ? withdrawText(reason) : notOwnerText(why);

function fieldOf(picture: Picture, remarks: string[]): Field | undefined {
  const loaded = load({
    pools: picture.pools,
    l2Advertisements: picture.advertisements,
    communities: picture.communities,
    namespaces: [],
    bgpAdvertisements: [],
    bgpPeers: [],
    bfdProfiles: [],
  });
  if ('problems' in loaded) {
    const texts = loaded.problems.map(problemText).join('; ');
    remarks.push(`Speakers refuse the present objects, and go on with the last good ones: ${texts}`);
    return undefined;
  }
  const on = (name: string) => picture.speakers.filter((pod) => pod.spec.nodeName === name);
  const losses = new Map(picture.states.map((state) => [state.node, state.losses]));
  return layOut(
    loaded.config,
    picture.nodes.map((node) => {
      const { name } = node.metadata;
      const speakers = picture.speakers.length === 0 ? undefined : on(name);
      const view = nodeView(node, { liveness: livenessByApi(node, speakers), ignoreExclude: false });
      const lost = losses.get(name);
      return { ...view, cordoned: isCordoned(node), ...(lost && { losses: lost }) };
    }),
  );
}

function everywhere({ nodes }: Picture, { metadata }: Service): readonly EndpointSlice[] {
  const endpoints = nodes.map((node) => ({ addresses: [], nodeName: node.metadata.name, ready: true }));
  return [{ metadata, serviceName: metadata.name, endpoints }];
}
