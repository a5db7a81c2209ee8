import { checker, pathText } from '../../api/check.ts';
import { peerCrd, peerSpec } from '../../api/metallb/peer.ts';
import { anything, type Schema } from '../../api/schema.ts';
import { forValues } from '../../api/values/strict.ts';
import { misfitProblems } from '../../api/values.ts';
import { isObject, type JsonObject } from '../json.ts';
import { pathOf } from '../path.ts';
import type { Finding } from '../source.ts';
import type { Manifest } from './objects-manifest.ts';

const OLD: Schema = peerCrd.versions.find(({ name }) => name === 'v1beta1')?.spec ?? anything();
const checkOld = checker(forValues(OLD, { closed: true }));
const checkNew = checker(forValues(peerSpec, { closed: true }));

/** The spec of a BGPPeer in v1beta2. */
export function presentPeer({ version, spec: given, path, subject }: Manifest): {
  readonly spec: JsonObject;
  readonly findings: readonly Finding[];
} {
  const spec = withoutEmptySecret(given);
  if (version !== 'v1beta1') return { spec, findings: [] };
  const { kept, findings } = readOld(spec);
  return {
    spec: kept,
    findings: [...findings, ...timers(spec)].map((finding) => ({
      ...finding,
      object: subject,
      path: pathText([...path, 'spec', ...pathOf(finding.path)]),
    })),
  };
}

/** Templates leave an empty reference behind, which names no Secret. */
function withoutEmptySecret(spec: JsonObject): JsonObject {
  const { passwordSecret, ...rest } = spec;
  return isObject(passwordSecret) && Object.keys(passwordSecret).length === 0 ? rest : spec;
}

/** What v1beta1 refuses or does not know, as far as v1beta2 does not say the same. */
function readOld(spec: JsonObject): { readonly kept: JsonObject; readonly findings: readonly Finding[] } {
  const present = new Set(checkNew.misfits(spec).map((misfit) => pathText(misfit.path)));
  const misfits = checkOld
    .misfits(spec)
    .filter(({ path }) => !present.has(pathText(path)))
    // A peer without address or AS number is refused wherever it is written.
    .filter(({ kind, path }) => kind !== 'required' || path.length > 1);
  const hint = 'a BGPPeer of metallb.io/v1beta2 has it';
  const findings = misfitProblems(misfits, spec).map(({ code, path, message }): Finding => {
    if (code !== 'UnknownKey') return { code: 'InvalidValue', path, message: `${message} in v1beta1`, hint };
    return { code, severity: 'warning', path, message: 'is not known to v1beta1 and has no effect', hint };
  });
  const unknown = new Set(misfits.filter(({ kind }) => kind === 'unknownKey').map(({ path }) => path[0]));
  // A port of 0 was legal, and meant the default.
  const known = Object.entries(spec).filter(
    ([key, value]) => !unknown.has(key) && !(key === 'peerPort' && value === 0),
  );
  return { kept: Object.fromEntries(known), findings };
}

/** Upstream's conversion makes an explicit 0 of a timer that is not there: a session that never notices its end. */
function timers(spec: JsonObject): readonly Finding[] {
  const missing = ['holdTime', 'keepaliveTime'].filter(
    (key) => spec[key] === undefined || spec[key] === null,
  );
  if (missing.length === 0) return [];
  return [
    {
      code: 'Assumed',
      severity: 'notice',
      path: '',
      message:
        `${missing.join(' and ')} stay unset, so that the usual times hold; ` +
        'MetalLB from 0.14 on makes 0 of them when it converts v1beta1',
      hint: 'write metallb.io/v1beta2, where absent times are the usual ones everywhere',
    },
  ];
}
