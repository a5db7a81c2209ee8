import { checker, type Path, pathText } from '../../api/check.ts';
import { metallbCrd } from '../../api/operator.ts';
import { anything, int, list, object, type Schema, str } from '../../api/schema.ts';
import { forValues } from '../../api/values/strict.ts';
import { misfitProblems } from '../../api/values.ts';
import { parseRange } from '../../ip/range.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { pathOf } from '../path.ts';
import type { Finding } from '../source.ts';
import type { Manifest, Told } from './objects-manifest.ts';
import { unrendered } from './placeholders.ts';

const SPEC: Schema = metallbCrd.versions[0]?.spec ?? anything();
const check = checker(forValues(SPEC, { closed: true }));
const TOLERATIONS = list(
  object({ key: str(), operator: str(), value: str(), effect: str(), tolerationSeconds: int() }),
);
const checkTolerations = checker(forValues(TOLERATIONS, { closed: true }));

/** A finding whose path starts at the spec. */
type Local = Omit<Finding, 'object'>;

/** The MetalLB object of OpenShift's operator: how the load balancer's own pods run, in the words of its chart. */
export function readMetalLB(manifest: Manifest): Told {
  const { spec, name, path, subject } = manifest;
  const local: readonly Local[] = [
    ...unrendered(spec, []),
    ...schemaFindings(spec),
    ...tolerationFindings(spec),
    ...weightFindings(spec, []),
    ...backEndFindings(spec),
    ...classFindings(spec),
  ];
  const findings = local.map((f) => ({
    ...f,
    object: subject,
    path: pathText([...path, 'spec', ...pathOf(f.path)]),
  }));
  const settings = settingsOf(spec);
  return {
    findings: name === 'metallb' ? findings : [misnamed(manifest), ...findings],
    ...(Object.keys(settings).length > 0 && { settings }),
  };
}

function misnamed({ subject, path }: Manifest): Finding {
  return {
    code: 'InvalidName',
    object: subject,
    path: pathText([...path, 'metadata', 'name']),
    message: 'only the MetalLB object named metallb counts',
    hint: 'name it metallb',
  };
}

function schemaFindings(spec: JsonObject): readonly Local[] {
  return misfitProblems(check.misfits(spec), spec).map(({ code, path, message, hint }) => {
    const unknown = code === 'UnknownKey';
    return {
      code: unknown ? 'UnknownKey' : code === 'WrongType' ? 'WrongType' : 'InvalidValue',
      ...(unknown && { severity: 'warning' }),
      path,
      message: unknown ? 'is not a known field and has no effect' : message,
      ...(hint !== undefined && { hint }),
    };
  });
}

function tolerationFindings(spec: JsonObject): readonly Local[] {
  return ['speakerTolerations', 'controllerTolerations'].flatMap((key) => {
    const given = spec[key];
    if (!Array.isArray(given)) return [];
    const misfits = misfitProblems(checkTolerations.misfits(given), given).map(
      ({ path, message }): Local => ({
        code: 'InvalidValue',
        path: pathText([key, ...pathOf(path)]),
        message,
      }),
    );
    const timed = given.flatMap((toleration: Json, i): Local[] => {
      if (!isObject(toleration)) return [];
      const { tolerationSeconds: seconds, effect } = toleration;
      if (typeof seconds !== 'number' || seconds <= 0 || effect === 'NoExecute') return [];
      return [
        {
          code: 'InvalidValue',
          path: pathText([key, i, 'tolerationSeconds']),
          message: 'is for tolerations with effect NoExecute',
        },
      ];
    });
    return [...misfits, ...timed];
  });
}

/** Weights of preferences in an affinity, wherever they stand. */
function weightFindings(value: Json, path: Path): readonly Local[] {
  if (Array.isArray(value)) return value.flatMap((item: Json, i) => weightFindings(item, [...path, i]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const isWeight = key === 'weight' && path.includes('affinity') && typeof path.at(-1) === 'number';
    if (!isWeight || (typeof inner === 'number' && inner >= 1 && inner <= 100))
      return weightFindings(inner, [...path, key]);
    return [{ code: 'InvalidValue', path: pathText([...path, key]), message: 'must be from 1 to 100' }];
  });
}

function backEndFindings({ bgpBackend, frrk8sConfig, image }: JsonObject): readonly Local[] {
  const found: Local[] = [];
  const without = (path: string, message: string) =>
    found.push({ code: 'NoEffect', severity: 'notice', path, message });
  if (image !== undefined) without('image', 'has no effect: the chart says which image runs');
  if (typeof bgpBackend === 'string' && bgpBackend !== '' && bgpBackend !== 'native')
    without('bgpBackend', 'has no effect: Herald brings no FRR');
  if (!isObject(frrk8sConfig)) return found;
  without('frrk8sConfig', 'has no effect: Herald brings no FRR');
  if (bgpBackend === 'frr-k8s-external' && !frrk8sConfig.namespace)
    found.push({
      code: 'MissingKey',
      path: 'frrk8sConfig.namespace',
      message: 'is required with frr-k8s-external',
    });
  const blocked = Array.isArray(frrk8sConfig.alwaysBlock) ? frrk8sConfig.alwaysBlock : [];
  for (const [i, cidr] of blocked.entries()) {
    const text = typeof cidr === 'string' ? cidr.trim() : '';
    if (text.includes('-') || 'error' in parseRange(text))
      found.push({ code: 'InvalidValue', path: `frrk8sConfig.alwaysBlock[${i}]`, message: 'is not a CIDR' });
  }
  return found;
}

/** A name, after an optional DNS prefix, as label keys have it. */
const CLASS =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

function classFindings({ loadBalancerClass: name }: JsonObject): readonly Local[] {
  if (typeof name !== 'string' || name === '' || CLASS.test(name)) return [];
  return [
    {
      code: 'InvalidValue',
      path: 'loadBalancerClass',
      message:
        'is not the name of a class: letters, digits, "-", "_" and ".", after an optional prefix and "/"',
    },
  ];
}

/** The chart values { controller, speaker, loadBalancerClass } that the spec amounts to. */
function settingsOf(spec: JsonObject): JsonObject {
  const { nodeSelector, speakerTolerations, controllerNodeSelector, controllerTolerations } = spec;
  const { logLevel, loadBalancerClass, controllerConfig, speakerConfig } = spec;
  const controller = given({
    ...podSettings(controllerConfig),
    nodeSelector: controllerNodeSelector,
    tolerations: controllerTolerations,
    logLevel,
  });
  const speaker = given({
    ...podSettings(speakerConfig),
    nodeSelector,
    tolerations: speakerTolerations,
    logLevel,
  });
  return given({
    controller: Object.keys(controller).length > 0 ? controller : undefined,
    speaker: Object.keys(speaker).length > 0 ? speaker : undefined,
    loadBalancerClass: loadBalancerClass === '' ? undefined : loadBalancerClass,
  });
}

function podSettings(config: Json | undefined): Readonly<Record<string, Json | undefined>> {
  const { priorityClassName, runtimeClassName, affinity, annotations, resources } = isObject(config)
    ? config
    : {};
  return { priorityClassName, runtimeClassName, affinity, podAnnotations: annotations, resources };
}

/** What was said. */
function given(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter((e): e is [string, Json] => e[1] !== undefined && e[1] !== null),
  );
}
