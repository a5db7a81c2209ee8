// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are a subject.
import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { documents, rendered, told } from './text.rig.ts';

const metallb = (spec: string, name = 'metallb') =>
  `apiVersion: metallb.io/v1beta1\nkind: MetalLB\nmetadata: {name: ${name}, namespace: metallb-system}\n${spec}`;
const spec = (fields: string) => metallb(`spec: {${fields}}\n`);

const TOLERATION = '{key: edge, operator: Exists, effect: NoExecute, tolerationSeconds: 30}';
const EDGE = { key: 'edge', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 };
const AFFINITY =
  '{nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 50, preference: {}}]}}';
const PREFERRED = {
  nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, preference: {} }] },
};

describe('the MetalLB object of OpenShift’s operator', () => {
  it.each<[string, object | undefined]>([
    // Despite its name it is the speaker's.
    ['nodeSelector: {zone: a}', { speaker: { nodeSelector: { zone: 'a' } } }],
    [`speakerTolerations: [${TOLERATION}]`, { speaker: { tolerations: [EDGE] } }],
    ['controllerNodeSelector: {zone: b}', { controller: { nodeSelector: { zone: 'b' } } }],
    [`controllerTolerations: [${TOLERATION}]`, { controller: { tolerations: [EDGE] } }],
    ['logLevel: debug', { controller: { logLevel: 'debug' }, speaker: { logLevel: 'debug' } }],
    ['loadBalancerClass: example.com/edge', { loadBalancerClass: 'example.com/edge' }],
    ['loadBalancerClass: ""', undefined],
    [
      'controllerConfig: {priorityClassName: high, runtimeClassName: kata}',
      { controller: { priorityClassName: 'high', runtimeClassName: 'kata' } },
    ],
    ['speakerConfig: {annotations: {a: b}}', { speaker: { podAnnotations: { a: 'b' } } }],
    [
      'speakerConfig: {resources: {limits: {cpu: 200m}}}',
      { speaker: { resources: { limits: { cpu: '200m' } } } },
    ],
    [`controllerConfig: {affinity: ${AFFINITY}}`, { controller: { affinity: PREFERRED } }],
    [`speakerConfig: {affinity: ${AFFINITY}}`, { speaker: { affinity: PREFERRED } }],
    ['bgpBackend: native', undefined],
    ['', undefined],
  ])('says %j', (fields, settings) => {
    const built = rendered(spec(fields));
    expect(told(built)).toEqual([]);
    expect(built.settings).toEqual(settings);
    expect(built.objects).toEqual([]);
  });

  it('may have no spec at all, or an empty one', () => {
    for (const text of [metallb(''), metallb('spec:\n')]) {
      const built = rendered(text);
      expect([told(built), built.settings]).toEqual([[], undefined]);
    }
  });

  it.each<[string, readonly string[]]>([
    ['image: quay.io/metallb/speaker', ['4:15 notice NoEffect spec.image']],
    ['bgpBackend: frr', ['4:20 notice NoEffect spec.bgpBackend']],
    ['frrk8sConfig: {alwaysBlock: [" 192.0.2.0/24 "]}', ['4:22 notice NoEffect spec.frrk8sConfig']],
    [
      'bgpBackend: frr-k8s-external, frrk8sConfig: {alwaysBlock: [192.0.2.1-192.0.2.9]}',
      [
        '4:20 notice NoEffect spec.bgpBackend',
        '4:52 notice NoEffect spec.frrk8sConfig',
        '4:52 error MissingKey spec.frrk8sConfig.namespace',
        '4:67 error InvalidValue spec.frrk8sConfig.alwaysBlock[0]',
      ],
    ],
    ['speakerNodeSelector: {a: b}', ['4:8 warning UnknownKey spec.speakerNodeSelector']],
    ['nodeselector: {a: b}', ['4:8 warning UnknownKey spec.nodeselector']],
    ['logLevel: trace', ['4:18 error InvalidValue spec.logLevel']],
    ['nodeSelector: zone=a', ['4:22 error WrongType spec.nodeSelector']],
    ['loadBalancerClass: "-x"', ['4:27 error InvalidValue spec.loadBalancerClass']],
    ['loadBalancerClass: "${CLASS}"', ['4:27 error Unrendered spec.loadBalancerClass']],
    [
      'speakerTolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 30}]',
      ['4:95 error InvalidValue spec.speakerTolerations[0].tolerationSeconds'],
    ],
    ['speakerTolerations: [{keys: a}]', ['4:36 error InvalidValue spec.speakerTolerations[0].keys']],
    [
      `speakerConfig: {affinity: ${AFFINITY.replace('50', '101')}}`,
      [
        '4:109 error InvalidValue spec.speakerConfig.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight',
      ],
    ],
  ])('with %s is told', (fields, problems) => {
    const built = rendered(spec(fields));
    expect(told(built)).toEqual(problems);
    expect(built.problems.every((p) => p.object === 'MetalLB metallb')).toBe(true);
  });

  it('counts under one name alone, and once', () => {
    expect(told(rendered(metallb('', 'metallb-operand')))).toEqual(['3:18 error InvalidName metadata.name']);
    const twice = documents(`${spec('logLevel: info')}---\n${spec('logLevel: warn')}`);
    expect(told(build(source(twice), TARGET))).toEqual(['error NameCollision [1].metadata.name']);
  });
});
