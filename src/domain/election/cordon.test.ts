import { describe, expect, it } from 'vitest';
import type { Node } from '../api/core.ts';
import { cordonsCount, isCordoned, type OnCordon, type SpeakerView } from './cordon.ts';
import { meta } from './field.rig.ts';

function node(spec: Partial<Node['spec']>): Node {
  return { metadata: meta('a'), spec: { unschedulable: false, ...spec }, status: { conditions: [] } };
}
const tainted = (key: string, effect: string) => node({ taints: [{ key, effect }] });

describe('a node that is being emptied', () => {
  it.each<[string, Node, boolean]>([
    ['nothing', node({}), false],
    ['spec.unschedulable', node({ unschedulable: true }), true],
    ['the taint of kubectl cordon', tainted('node.kubernetes.io/unschedulable', 'NoSchedule'), true],
    ['the taint of a node that is off', tainted('node.kubernetes.io/out-of-service', 'NoExecute'), true],
    ['the autoscaler, about to remove it', tainted('ToBeDeletedByClusterAutoscaler', 'NoSchedule'), true],
    ['Karpenter', tainted('karpenter.sh/disrupted', 'NoSchedule'), true],
    [
      'the autoscaler, as a candidate',
      tainted('DeletionCandidateOfClusterAutoscaler', 'PreferNoSchedule'),
      false,
    ],
    ['a wish only', tainted('node.kubernetes.io/unschedulable', 'PreferNoSchedule'), false],
    ['a control plane', tainted('node-role.kubernetes.io/control-plane', 'NoSchedule'), false],
    ['a node that is not ready', tainted('node.kubernetes.io/not-ready', 'NoExecute'), false],
  ])('shows by %s', (_, of, cordoned) => {
    expect(isCordoned(of)).toBe(cordoned);
  });
});

describe('cordons', () => {
  const herald: SpeakerView = { liveness: 'live', ring: 'member', notice: { heedsCordon: true } };
  const staying: SpeakerView = { ...herald, notice: { heedsCordon: false } };
  const upstream: SpeakerView = { ...herald, notice: undefined };
  const unheard: SpeakerView = { liveness: 'live', ring: undefined, notice: undefined };
  const dead: SpeakerView = { liveness: 'speaker-dead', ring: 'dead', notice: undefined };

  it.each<[OnCordon, string, readonly SpeakerView[], boolean]>([
    ['auto', 'all speakers say so', [herald, herald], true],
    ['auto', 'a speaker of MetalLB takes part', [herald, upstream], false],
    ['auto', 'a speaker of MetalLB has died', [herald, dead], true],
    ['auto', 'one is to stay', [herald, staying], false],
    ['auto', 'one was never heard', [herald, unheard], false],
    ['auto', 'there is no ring', [unheard, unheard], false],
    ['move', 'there is no ring', [unheard, unheard], true],
    ['move', 'one was never heard', [herald, unheard], true],
    ['move', 'a speaker of MetalLB takes part', [herald, upstream], false],
    ['move', 'one is to stay', [herald, staying], false],
    ['stay', 'all speakers say so', [herald, herald], false],
  ])('with %s count or not when %s', (mode, _, speakers, count) => {
    expect(cordonsCount(mode, speakers)).toBe(count);
  });
});
