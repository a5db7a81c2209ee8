/** Kustomizations of Flux: what the cluster does to a folder beyond what stands in it. */
import { checker, pathText } from '../../../domain/api/check.ts';
import { withoutNulls } from '../../../domain/api/kind.ts';
import type { Problem } from '../../../domain/api/problem.ts';
import { anything, bool, list, map, object, str, type TypeOf } from '../../../domain/api/schema.ts';
import type { Doc } from './document.ts';
import { type Fields, fields, headerOf, items } from './record.ts';
import { nearest } from './release.ts';

const SPEC = object({
  path: str(),
  targetNamespace: str(),
  namePrefix: str(),
  nameSuffix: str(),
  suspend: bool(),
  patches: list(map(anything())),
  patchesStrategicMerge: list(anything()),
  patchesJson6902: list(map(anything())),
  images: list(map(anything())),
  components: list(str()),
  commonMetadata: object({ labels: map(str()), annotations: map(str()) }),
  postBuild: object({
    substitute: map(str()),
    substituteFrom: list(
      object({ kind: str(), name: str(), optional: bool() }, undefined, { required: ['kind', 'name'] }),
    ),
    substituteStrategy: str(),
  }),
});
type Spec = TypeOf<typeof SPEC>;
const CHECK = checker(object({ spec: SPEC }, undefined, { required: ['spec'] }));

export interface FluxKustomization {
  readonly doc: Doc;
  readonly title: string;
  readonly namespace: string | undefined;
  /** From the root of its repository, without `./` around it. */
  readonly path: string;
  readonly spec: Spec;
}

/** Undefined for every other kind. */
export function readFluxKustomization(
  doc: Doc,
): { readonly flux: FluxKustomization } | { readonly problems: readonly Problem[] } | undefined {
  const { header } = doc;
  if (header?.group !== 'kustomize.toolkit.fluxcd.io' || header.kind !== 'Kustomization') return undefined;
  const title = `Kustomization ${header.name ?? ''}`.trim();
  const value = withoutNulls(doc.value);
  if (!CHECK.fits(value))
    return {
      problems: CHECK.misfits(value).map(({ path, message }) => ({
        code: 'ReleaseInvalid',
        object: title,
        path: pathText(path),
        source: doc.file,
        ...nearest(doc, path),
        message,
      })),
    };
  const { spec } = value;
  const path = (spec.path ?? '').split('/').filter((step) => step !== '' && step !== '.');
  return { flux: { doc, title, namespace: header.namespace, path: path.join('/'), spec } };
}

/** The kustomization file as Flux rewrites it before it builds: its own settings win, its lists are appended. */
export function rewritten(file: Fields, { spec }: FluxKustomization): Fields {
  const { targetNamespace, namePrefix, nameSuffix } = spec;
  const appended = (key: 'patches' | 'patchesStrategicMerge' | 'patchesJson6902' | 'components') => {
    const added = spec[key] ?? [];
    return added.length > 0 ? { [key]: [...items(file[key]), ...added] } : {};
  };
  return {
    ...file,
    ...(targetNamespace && { namespace: targetNamespace }),
    ...(namePrefix && { namePrefix }),
    ...(nameSuffix && { nameSuffix }),
    ...appended('patches'),
    ...appended('patchesStrategicMerge'),
    ...appended('patchesJson6902'),
    ...appended('components'),
    ...(spec.images && { images: images(items(file.images).map(fields), spec.images) }),
  };
}

/** An image of one name takes over what it says. */
function images(own: readonly Fields[], added: readonly Fields[]): readonly Fields[] {
  const rest = added.filter(({ name }) => !own.some((image) => image.name === name));
  return [...own.map((image) => ({ ...image, ...added.find(({ name }) => name === image.name) })), ...rest];
}

/** A built object with what every object of this Kustomization gets. */
export function withCommonMetadata(value: unknown, common: Spec['commonMetadata']): unknown {
  if (!common || !headerOf(value)) return value;
  const object = fields(value);
  const metadata = fields(object.metadata);
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(common.labels && { labels: { ...fields(metadata.labels), ...common.labels } }),
      ...(common.annotations && { annotations: { ...fields(metadata.annotations), ...common.annotations } }),
    },
  };
}

/** Names that Kustomize looks for in a folder. */
const FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

export function kustomizationIn(names: readonly string[]): string | undefined {
  return FILES.find((name) => names.includes(name));
}

/** Annotation in which Kustomize says where a built object comes from. */
export const ORIGIN = 'config.kubernetes.io/origin';
