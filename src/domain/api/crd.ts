import { kind } from './kind.ts';
import type { Kind, KubeObject, ObjectMeta } from './object.ts';
import { object, type Schema } from './schema.ts';

/** A column of `kubectl get`. Columns with a priority above 0 appear with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly path: string;
  readonly priority?: number;
}

/** One version of a custom resource. Absent spec or status: the version has no such field. */
export interface CrdVersion {
  readonly name: string;
  readonly about: string;
  readonly storage: boolean;
  /** Text of the warning that clients see. */
  readonly deprecated?: string;
  readonly columns: readonly Column[];
  readonly spec?: Schema;
  readonly status?: Schema;
  readonly required?: readonly ('spec' | 'status')[];
}

/** A custom resource definition, apart from Kubernetes' own wrapping; tools/gen writes it to chart/crds. */
export interface Crd {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly versions: readonly CrdVersion[];
}

/** What a namespaced custom resource looks like after decoding: spec and status are the raw ones, checked. */
export interface Custom<Spec, Status> extends KubeObject {
  readonly spec: Spec;
  readonly status?: Status;
}

interface CustomOptions<Spec, Status> {
  readonly crd: Crd;
  readonly version: string;
  readonly spec: Schema<Spec>;
  readonly status: Schema<Status>;
  /** Stands in for an absent spec; kinds that require one leave it out. */
  readonly emptySpec?: Spec;
}

/** The Kind of one version of a custom resource. */
export function customKind<Spec, Status>(o: CustomOptions<Spec, Status>): Kind<Custom<Spec, Status>> {
  const { crd, version, emptySpec } = o;
  const project = (spec: Spec, status: Status | undefined, metadata: ObjectMeta): Custom<Spec, Status> =>
    status === undefined ? { metadata, spec } : { metadata, spec, status };
  const address = { group: crd.group, version, kind: crd.kind, plural: crd.plural, namespaced: true };
  const fields = { spec: o.spec, status: o.status };
  if (emptySpec === undefined) {
    const schema = object(fields, undefined, { required: ['spec'] });
    return kind({ ...address, schema, project: (raw, meta) => project(raw.spec, raw.status, meta) });
  }
  const schema = object(fields);
  return kind({
    ...address,
    schema,
    project: (raw, meta) => project(raw.spec ?? emptySpec, raw.status, meta),
  });
}
