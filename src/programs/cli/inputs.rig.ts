import { Secrets } from '../../domain/api/core.ts';
import { type DesiredObject, idOf, openContent } from '../../domain/desired/object.ts';
import type { Checked } from './check.ts';

const contentOf = ({ kind, content }: DesiredObject) => {
  const open = openContent(content);
  return kind === Secrets ? open : open.spec;
};

/** "IPAddressPool web" to its spec; Secrets whole. */
export function objectsOf(checked: readonly Checked[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    checked.flatMap((c) => c.sources.flatMap((s) => s.objects.map((o) => [idOf(o), contentOf(o)]))),
  );
}
