import { LAST_APPLIED, ON_CHANGE } from '../../api/annotations.ts';
import { type Path, pathText } from '../../api/check.ts';
import { CHANGE_POLICIES } from '../../api/values.ts';
import type { Draft } from '../draft.ts';
import { isObject, type Json } from '../json.ts';
import type { Finding } from '../source.ts';
import { SECTION_OF } from './objects-kinds.ts';
import type { Manifest, Told } from './objects-manifest.ts';
import { presentPeer } from './objects-peer.ts';

/** An object of a kind that Herald renders, as it stands; undefined for other kinds. */
export function readNative(manifest: Manifest): Told | undefined {
  const section = SECTION_OF.get(manifest.kind);
  if (!section) return undefined;
  const { extra, findings } = readExtra(manifest);
  const peer = section === 'bgpPeers' ? presentPeer(manifest) : { spec: manifest.spec, findings: [] };
  const draft: Draft = { section, name: manifest.name, spec: peer.spec, ...extra, ...placesOf(manifest) };
  // Without a name nothing can be made of it.
  return { drafts: manifest.name === '' ? [] : [draft], findings: [...findings, ...peer.findings] };
}

/** Where the fields of a manifest stand. spec: where those of the draft's spec do. */
export function placesOf(
  { path }: Pick<Manifest, 'path'>,
  spec: Path = [...path, 'spec'],
): Required<Pick<Draft, 'path'>> & { readonly fields: Map<string, string> } {
  return {
    path: pathText(path),
    fields: new Map([
      ['', pathText(spec)],
      ['metadata', pathText([...path, 'metadata'])],
    ]),
  };
}

type Extra = Pick<Draft, 'labels' | 'annotations' | 'onChange'>;

/**
 * Labels and annotations that the object keeps. Those by which other tools know what is theirs stay behind: with them, Flux, Helm or
 * Argo CD would take the rendered object for their own and remove it.
 */
export function readExtra(manifest: Manifest): {
  readonly extra: Extra;
  readonly findings: readonly Finding[];
} {
  const labels = textsOf(manifest, 'labels');
  const annotations = textsOf(manifest, 'annotations');
  const findings = [...labels.findings, ...annotations.findings];
  const wanted = annotations.texts.get(ON_CHANGE);
  const onChange = CHANGE_POLICIES.find((policy) => policy === wanted);
  if (wanted !== undefined && !onChange) findings.push(badPolicy(manifest));
  return {
    findings,
    extra: {
      ...kept('labels', labels.texts),
      ...kept('annotations', annotations.texts),
      ...(onChange && { onChange }),
    },
  };
}

function badPolicy({ path, subject }: Manifest): Finding {
  return {
    code: 'InvalidValue',
    object: subject,
    path: pathText([...path, 'metadata', 'annotations', ON_CHANGE]),
    message: `must be one of ${CHANGE_POLICIES.join(', ')}`,
  };
}

const FOREIGN_PREFIX =
  /^(([a-z.]+\.)?(toolkit\.fluxcd\.io|fluxcd\.io|argoproj\.io|kustomize\.config\.k8s\.io|config\.kubernetes\.io)|meta\.helm\.sh|helm\.sh|herald\.io)\//;
const FOREIGN: ReadonlySet<string> = new Set([LAST_APPLIED, 'app.kubernetes.io/managed-by']);

function kept(key: 'labels' | 'annotations', texts: ReadonlyMap<string, string>): Extra {
  const own = [...texts].filter(([name]) => !FOREIGN.has(name) && !FOREIGN_PREFIX.test(name));
  return own.length === 0 ? {} : { [key]: Object.fromEntries(own) };
}

function textsOf(
  { metadata, path, subject }: Manifest,
  key: 'labels' | 'annotations',
): { readonly texts: ReadonlyMap<string, string>; readonly findings: Finding[] } {
  const texts = new Map<string, string>();
  const findings: Finding[] = [];
  const given: Json = metadata[key] ?? {};
  const tell = (rest: Path, message: string, hint?: string) =>
    findings.push({
      code: 'WrongType',
      object: subject,
      path: pathText([...path, 'metadata', key, ...rest]),
      message,
      ...(hint !== undefined && { hint }),
    });
  if (!isObject(given)) tell([], 'must be a map');
  else
    for (const [name, value] of Object.entries(given)) {
      if (typeof value === 'string') texts.set(name, value);
      else if (value !== null) tell([name], 'must be text', 'put it in quotes');
    }
  return { texts, findings };
}
