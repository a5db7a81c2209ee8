/** What can be wrong before a source is read: with paths, builds and references. Codes are stable and never used again for something else. */
export const codes = {
  UnknownKind: 'nothing in the file is for Herald',
  Skipped: 'something in a folder is not for Herald',
  NotASource: 'a ConfigMap has no label that makes it a source',
  ValuesError: 'Flux would refuse the values of a HelmRelease',
  OptionalMissing: 'an optional reference leads to nothing among the files',
  Suspended: 'Flux leaves a suspended object as it is',
  Encrypted: 'a value is encrypted',
  SubstitutionFailed: 'Flux would refuse to replace the variables',
  SettingTwice: 'two files set one thing differently',
} as const;

export type Code = keyof typeof codes;
