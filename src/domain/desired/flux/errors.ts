/** Why Flux would refuse the values of a HelmRelease: its reasons, in chartutil's order of tests. */
export type RefusedBecause =
  | 'ResourceNotFound'
  | 'KeyNotFound'
  | 'UnsupportedKind'
  | 'ValuesDataRead'
  | 'ValueMerge';

/** A reference that cannot be resolved. The message never holds the referenced text: it may come from a Secret. */
export class ValuesError extends Error {
  override readonly name = 'ValuesError';
  readonly because: RefusedBecause;
  constructor(because: RefusedBecause, message: string) {
    super(message);
    this.because = because;
  }
}

/** A `--set` line that Helm's parser refuses. */
export class SetError extends Error {
  override readonly name = 'SetError';
}

/** YAML that Go's reader refuses to turn into JSON. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}
