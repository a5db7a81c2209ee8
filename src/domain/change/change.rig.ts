/** Sources, live objects, Services and nodes for tests of this room. */
import { type Namespace, Namespaces, type Node, Nodes, type Service, Services } from '../api/core.ts';
import { rendered, stored } from '../desired/desired.rig.ts';
import { type DesiredObject, idOf, type LiveObject, viewOf } from '../desired/object.ts';
import { diff, type PlanInput, type Write } from './diff.ts';
import { judge } from './judge.ts';
import type { Affected, Judged, JudgeInput, Scene, SourceChange, Step } from './model.ts';
import { type Plan, staged } from './plan.ts';

/** The objects of native values, however they collide: as one source after the other would have made them. */
export function objects(values: object, source = 'herald'): DesiredObject[] {
  const built = rendered(values, { name: source });
  if (built.problems.some((p) => p.severity === undefined || p.severity === 'error'))
    throw new Error(JSON.stringify(built.problems));
  return [...built.objects];
}

export function live(values: object, source?: string): LiveObject[] {
  return objects(values, source).map((o) => stored(o));
}

/** A LoadBalancer Service "namespace/name" that shows the addresses. */
export function service(
  key: string,
  addresses: string | readonly string[],
  more: {
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly spec?: object;
    readonly uid?: string;
  } = {},
): Service {
  const [namespace, name] = key.split('/');
  const ips = typeof addresses === 'string' ? [addresses] : addresses;
  const families = ips.map((ip) => (ip.includes(':') ? 'fd00::1' : '10.96.0.1'));
  return Services.decode({
    metadata: {
      name,
      namespace,
      uid: more.uid ?? `uid-${key}`,
      resourceVersion: '1',
      labels: more.labels ?? {},
      annotations: more.annotations ?? {},
    },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: families.length === 0 ? ['10.96.0.1'] : [...new Set(families)],
      ...(new Set(families).size > 1 && { ipFamilyPolicy: 'RequireDualStack' }),
      ports: [{ port: 80 }],
      ...more.spec,
    },
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
  });
}

export function node(name: string, labels: Record<string, string> = {}, ready = true): Node {
  return Nodes.decode({
    metadata: { name, uid: name, resourceVersion: '1', labels },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  });
}

export function namespace(name: string, labels: Record<string, string> = {}): Namespace {
  return Namespaces.decode({ metadata: { name, uid: name, resourceVersion: '1', labels } });
}

export interface Sketch extends Partial<Omit<JudgeInput, 'scene' | 'live' | 'desired'>> {
  /** Values that are live, and those that are desired, of one source. */
  readonly from?: object;
  readonly to?: object;
  readonly live?: readonly LiveObject[];
  readonly desired?: readonly DesiredObject[];
  readonly services?: readonly Service[];
  readonly nodes?: readonly Node[];
  readonly namespaces?: readonly Namespace[];
  readonly scene?: Scene | undefined;
}

export function inputOf(sketch: Sketch): JudgeInput {
  const {
    from = {},
    to = {},
    services = [],
    nodes = [node('a'), node('b')],
    namespaces = [],
    ...rest
  } = sketch;
  const desired = sketch.desired ?? objects(to);
  const present = sketch.live ?? live(from);
  const { from: _, to: __, ...more } = { from, to, ...rest };
  return {
    instance: 'herald',
    complete: new Set(['herald', ...desired.map((o) => o.source)]),
    policy: () => 'hold',
    approved: new Map(),
    drains: true,
    ...more,
    desired,
    live: present,
    scene: 'scene' in sketch ? sketch.scene : { services, nodes, namespaces },
  };
}

/** The writes from live to desired, in stages, whomever they hurt. */
export function plan(input: PlanInput): Plan {
  const { writes, unchanged } = diff(input);
  return { stages: staged(writes, input.live), unchanged };
}

export const judged = (sketch: Sketch): Judged => judge(inputOf(sketch));

/** The one source's change; an empty one when nothing changes. */
export function changeOf(result: Judged, source = 'herald'): SourceChange {
  return result.changes.find((c) => c.source === source) ?? { source, digest: '', policy: 'hold', steps: [] };
}

/** "update IPAddressPool web: held" */
export const stepTexts = (result: Judged): string[] =>
  result.changes.flatMap((c) => c.steps.map((s: Step) => `${s.action} ${s.object}: ${s.state}`));

/** "shop/web loses" */
export const fateTexts = (list: readonly Affected[]): string[] => list.map((a) => `${a.service} ${a.fate}`);

/** "delete IPAddressPool web", by stage. */
export const writeTexts = ({ plan }: Judged): string[][] =>
  plan.stages.map((stage) =>
    stage.map((w) => `${w.verb} ${idOf(w.verb === 'delete' ? viewOf(w.live) : w.object)}`),
  );

/** What the cluster holds after one write. */
export function written(present: readonly LiveObject[], write: Write): LiveObject[] {
  const id = idOf(write.verb === 'delete' ? viewOf(write.live) : write.object);
  const others = present.filter((o) => idOf(viewOf(o)) !== id);
  return write.verb === 'delete' ? others : [...others, stored(write.object)];
}

export function carriedOut(present: readonly LiveObject[], { plan }: Judged): LiveObject[] {
  return plan.stages.flat().reduce(written, [...present]);
}

/** A change, what becomes of whom and why, and the steps that wait. */
export type Row = readonly [
  name: string,
  change: Sketch,
  affected: readonly (readonly [fate: string, reason: string])[],
  waits: readonly string[],
];

/** What a row is about, in its own form. */
export function outcomeOf([name, sketch]: Row): Row {
  const result = judged(sketch);
  return [
    name,
    sketch,
    result.affected.map((a) => [`${a.service} ${a.fate}`, a.reason]),
    stepTexts(result).filter((text) => !text.endsWith(': ready')),
  ];
}
