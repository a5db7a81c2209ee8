/** Variables of Kubespray that lie in several files, as Ansible puts them together. */
import { basename, dirname, sep } from 'node:path';
import type { Path } from '../../../domain/api/check.ts';
import { kubesprayConfig } from '../../../domain/desired/dialects/kubespray-config.ts';
import { kubesprayRange } from '../../../domain/desired/dialects/kubespray-range.ts';
import type { Typed } from '../../../domain/desired/source.ts';
import type { Doc } from './document.ts';
import { fields } from './record.ts';

/** Variables of other roles that say something about addresses. */
const NEIGHBOURS = ['calico_advertise_service_loadbalancer_ips', 'kube_proxy_mode', 'kube_proxy_strict_arp'];

/**
 * Documents of which each stands for all variables of one inventory, in the place of several files below its `group_vars`. What else
 * there is stays as it is.
 */
export function joinVariables(docs: readonly Doc[]): readonly Doc[] {
  const inventories = new Map<string, Doc[]>();
  for (const doc of docs) {
    const inventory = inventoryOf(doc.file);
    if (doc.header || inventory === undefined || !isVariables(doc)) continue;
    inventories.set(inventory, [...(inventories.get(inventory) ?? []), doc]);
  }
  const joined = new Map(
    [...inventories.values()]
      .filter((group) => group.length > 1 && group.some((doc) => showsRole(doc.value)))
      .flatMap((group) => group.map((doc) => [doc, group.toSorted(byPrecedence)] as const)),
  );
  const done = new Set<readonly Doc[]>();
  return docs.flatMap((doc) => {
    const group = joined.get(doc);
    if (!group) return [doc];
    const [first] = group.filter((d) => showsRole(d.value));
    return doc === first && !done.has(group) ? [together(doc, group)] : [];
  });
}

/** The folder that holds `group_vars`. */
function inventoryOf(file: string): string | undefined {
  const steps = file.split(sep);
  const i = steps.lastIndexOf('group_vars');
  return i < 0 ? undefined : steps.slice(0, i).join(sep);
}

function showsRole(values: unknown): boolean {
  return [kubesprayConfig, kubesprayRange].some((dialect) => dialect.evidence(values).length > 0);
}

function isVariables({ value }: Doc): boolean {
  return showsRole(value) || NEIGHBOURS.some((key) => key in fields(value));
}

/** The group `all` comes before every other, and within one the files by name. */
function byPrecedence(a: Doc, b: Doc): number {
  const rank = ({ file }: Doc) =>
    Number(basename(dirname(file)) !== 'all' && !/^all\.ya?ml$/.test(basename(file)));
  return rank(a) - rank(b) || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0);
}

/** A later file takes a variable over as a whole. */
function together(doc: Doc, group: readonly Doc[]): Doc {
  const holder = ([key]: Path) =>
    group.findLast(({ value }) => key !== undefined && key in fields(value)) ?? doc;
  return {
    ...doc,
    value: Object.assign({}, ...group.map(({ value }) => fields(value))) as unknown,
    at: (path, part) => holder(path).at(path, part),
    inside: (path) => holder(path).inside(path),
    typed: (flavour) => {
      const all = group.map((d) => d.typed(flavour));
      const problems = all.flatMap((t) => ('problems' in t ? t.problems : []));
      if (problems.length > 0) return { problems };
      const good = all.flatMap((t) => ('problems' in t ? [] : [t]));
      const typed = (path: Path): Exclude<Typed, { readonly problems: unknown }> | undefined =>
        good[group.indexOf(holder(path))];
      return {
        value: Object.assign({}, ...good.map((t) => fields(t.value))) as unknown,
        duplicates: good.flatMap((t) => t.duplicates ?? []),
        at: (path, part) => typed(path)?.at?.(path, part),
        text: (path) => typed(path)?.text?.(path),
      };
    },
  };
}
