import { DRAINING, MOVING } from '../api/annotations.ts';
import { Secrets } from '../api/core.ts';
import { BGPPeers } from '../api/metallb.ts';
import { isObject, type Json, sameJson } from '../desired/json.ts';
import { EXTRA, openContent, type View } from '../desired/object.ts';

/** Longest text of one value. */
const WIDTH = 160;

/** What an object has before and after, a line for each field; of Secrets and passwords only that they change. */
export function linesOf(before: View | undefined, after: View | undefined): readonly string[] {
  const view = after ?? before;
  if (!view) return [];
  if (view.kind.kind === Secrets.kind) return secretLines(before, after);
  const lines = fieldLines(before && openContent(before.content), after && openContent(after.content), '');
  const restarts =
    before &&
    after &&
    view.kind.kind === BGPPeers.kind &&
    lines.some((l) => !l.startsWith('spec.nodeSelectors'));
  return [
    ...lines,
    ...(restarts ? ['the BGP session starts again'] : []),
    ...(before && after ? metadataLines(before, after) : []),
  ];
}

function secretLines(before: View | undefined, after: View | undefined): readonly string[] {
  const same = before && after && sameJson(openContent(before.content), openContent(after.content));
  if (same) return metadataLines(before, after);
  const verb = before ? (after ? 'changes' : 'goes') : 'comes';
  return [`Secret ${(after ?? before)?.name} ${verb}`];
}

function metadataLines(before: View, after: View): readonly string[] {
  const of = (what: 'labels' | 'annotations') =>
    Object.keys({ ...before[what], ...after[what] })
      .filter((key) => key !== EXTRA)
      .sort()
      .flatMap((key) => scalarLine(`metadata.${what}[${key}]`, before[what][key], after[what][key]));
  return [...of('labels'), ...of('annotations')];
}

/** Marks that Herald sets and takes away by itself. */
export const isMark = (line: string): boolean =>
  [DRAINING, MOVING].some((name) => line.startsWith(`metadata.annotations[${name}]`));

/** A mark that is set or changed. */
export const isNewMark = (line: string): boolean => isMark(line) && !line.endsWith(' removed');

function fieldLines(before: Json | undefined, after: Json | undefined, path: string): readonly string[] {
  if (sameJson(before, after)) return [];
  const [was, is] = [before, after].map((v) => (isObject(v) ? v : undefined));
  if (was || is)
    return [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])].flatMap((key) =>
      fieldLines(was?.[key], is?.[key], path === '' ? key : `${path}.${key}`),
    );
  if (/(^|\.)password$/.test(path)) return [`${path}: changes (hidden)`];
  if (Array.isArray(before) || Array.isArray(after)) return listLines(before, after, path);
  return scalarLine(path, before, after);
}

function listLines(before: Json | undefined, after: Json | undefined, path: string): readonly string[] {
  const items = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
  const [was, is] = [items(before), items(after)];
  const only = (list: readonly Json[], other: readonly Json[]) => {
    const known = new Set(other.map(textOf));
    return list.map(textOf).filter((text) => !known.has(text));
  };
  const lines = [
    ...only(was, is).map((text) => `${path}: ${text} removed`),
    ...only(is, was).map((text) => `${path}: ${text} added`),
  ];
  return lines.length > 0 || was.length + is.length === 0 ? lines : [`${path}: another order`];
}

function scalarLine(path: string, before: Json | undefined, after: Json | undefined): readonly string[] {
  if (sameJson(before, after)) return [];
  if (before === undefined) return [`${path}: ${textOf(after)}`];
  return [`${path}: ${textOf(before)} ${after === undefined ? 'removed' : `-> ${textOf(after)}`}`];
}

function textOf(value: Json | undefined): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text;
}
