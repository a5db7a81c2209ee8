import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.ts';
import { OVERRIDDEN, withSettings } from './workloads.ts';

const MASTER = { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' };
const INFRA = { key: 'infra', operator: 'Exists' };
const SPEAKER: JsonObject = {
  kind: 'DaemonSet',
  metadata: { name: 'herald-speaker', annotations: { team: 'net' } },
  spec: {
    template: {
      metadata: { labels: { a: 'b' } },
      spec: {
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [MASTER],
        containers: [{ name: 'speaker', resources: { limits: { memory: '1Gi' } } }, { name: 'sidecar' }],
      },
    },
  },
};
const pod = (o: JsonObject) => (o.spec as { template: { spec: JsonObject } }).template.spec;
const settings = (speaker: JsonObject) => ({ speaker });

describe('settings of a source on a workload', () => {
  it('leave it as it is when there are none', () => {
    expect(withSettings(SPEAKER, 'speaker', {})).toBe(SPEAKER);
    expect(withSettings(SPEAKER, 'speaker', { controller: { nodeSelector: { a: 'b' } } })).toEqual(SPEAKER);
  });

  it('are put over what the chart made: maps and tolerations grow, other fields are replaced', () => {
    const made = withSettings(
      SPEAKER,
      'speaker',
      settings({
        nodeSelector: { lb: 'yes' },
        tolerations: [MASTER, INFRA],
        priorityClassName: 'high',
        resources: { requests: { cpu: '10m' } },
      }),
    );
    expect(pod(made)).toEqual({
      nodeSelector: { 'kubernetes.io/os': 'linux', lb: 'yes' },
      tolerations: [MASTER, INFRA],
      priorityClassName: 'high',
      containers: [
        { name: 'speaker', resources: { limits: { memory: '1Gi' }, requests: { cpu: '10m' } } },
        { name: 'sidecar' },
      ],
    });
    expect(made.metadata).toMatchObject({
      annotations: { team: 'net', 'helm.toolkit.fluxcd.io/driftDetection': 'disabled' },
    });
  });

  it('are there once, however often they are looked at', () => {
    const wanted = settings({ tolerations: [INFRA], nodeSelector: { lb: 'yes' } });
    const once = withSettings(SPEAKER, 'speaker', wanted);
    expect(withSettings(once, 'speaker', wanted)).toEqual(once);
  });

  it('follow a change, and give everything back at the end', () => {
    const first = withSettings(
      SPEAKER,
      'speaker',
      settings({ tolerations: [INFRA], priorityClassName: 'high' }),
    );
    const second = withSettings(first, 'speaker', settings({ nodeSelector: { lb: 'yes' } }));
    expect(pod(second)).toMatchObject({
      tolerations: [MASTER],
      nodeSelector: { 'kubernetes.io/os': 'linux', lb: 'yes' },
    });
    expect(pod(second).priorityClassName).toBeUndefined();
    expect(withSettings(second, 'speaker', {})).toEqual(SPEAKER);
  });

  it('take a field that the chart has changed since as its new value', () => {
    const made = withSettings(SPEAKER, 'speaker', settings({ tolerations: [INFRA] }));
    const upgraded = structuredClone(made) as unknown as {
      spec: { template: { spec: { tolerations: object[] } } };
    };
    upgraded.spec.template.spec.tolerations = [{ key: 'new' }];
    const again = withSettings(
      upgraded as unknown as JsonObject,
      'speaker',
      settings({ tolerations: [INFRA] }),
    );
    expect(pod(again).tolerations).toEqual([{ key: 'new' }, INFRA]);
    expect(pod(withSettings(again, 'speaker', {})).tolerations).toEqual([{ key: 'new' }]);
  });

  it("take what is there as the chart's where somebody wrote into the bookkeeping", () => {
    const broken = { ...SPEAKER, metadata: { annotations: { [OVERRIDDEN]: 'not json' } } };
    expect(pod(withSettings(broken, 'speaker', {}))).toEqual(pod(SPEAKER));
  });

  it('name the class by a variable of both programs', () => {
    const made = withSettings(SPEAKER, 'speaker', { loadBalancerClass: 'example.com/lb' });
    expect(pod(made).containers).toMatchObject([
      { name: 'speaker', env: [{ name: 'HERALD_LB_CLASS', value: 'example.com/lb' }] },
      { name: 'sidecar' },
    ]);
  });

  it('set the log level in the ConfigMap that the program follows', () => {
    const map = { kind: 'ConfigMap', metadata: { name: 'herald-controller' }, data: { logLevel: 'info' } };
    const made = withSettings(map, 'controller', { controller: { logLevel: 'debug' } });
    expect(made.data).toEqual({ logLevel: 'debug' });
    expect(withSettings(made, 'controller', {}).data).toEqual({ logLevel: 'info' });
  });
});
