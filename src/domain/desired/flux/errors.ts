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

/** Text that Flux's post-build substitution refuses. `at`: offset of the expansion. The message holds no values. */
export class SubstitutionError extends Error {
  override readonly name = 'SubstitutionError';
  readonly at: number;
  /** The variable that is not set, where that is the reason. */
  readonly variable: string | undefined;
  constructor(message: string, at: number, variable?: string) {
    super(message);
    this.at = at;
    this.variable = variable;
  }
}
