/** Texts as they come to the dialects, for their tests. */
import { existsSync, readFileSync } from 'node:fs';
import { parseDocument, parseDocuments } from '../../../platform/files/yaml.ts';
import type { Problem } from '../../api/problem.ts';
import { type Built, build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { idOf, openContent } from '../object.ts';
import type { Source } from '../source.ts';
import { fromYaml, textReader } from '../yaml.ts';
import type { Target } from './dialect.ts';

const PUBLIC = { title: 'file.yaml', secret: false } as const;

/** A text of one document, rendered. */
export function rendered(text: string, o: Partial<Source> = {}, target: Target = TARGET): Built {
  const document = parseDocument(text, { source: 'file.yaml' });
  if ('problems' in document) throw new Error(JSON.stringify(document.problems));
  const { values, ...read } = fromYaml(document);
  const parse = textReader((inner) => parseDocument(inner, { source: 'file.yaml' }));
  return build(source(values, { ...PUBLIC, ...read, parse, ...o }), target);
}

/** A text of several documents as one list of values, in Go's typing. */
export function documents(text: string): readonly unknown[] {
  const parsed = parseDocuments(text, { source: 'file.yaml' });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.map((document) => {
    const typed = fromYaml(document).typed?.('go');
    if (!typed || 'problems' in typed) throw new Error(JSON.stringify(typed));
    return typed.value;
  });
}

/** "IPAddressPool web" to its spec. */
export function specs(built: Built): Readonly<Record<string, unknown>> {
  return Object.fromEntries(built.objects.map((o) => [idOf(o), openContent(o.content).spec]));
}

/** "4:5 error UnknownKey peers[0].my_asn" of each problem. */
export function told({ problems }: { readonly problems: readonly Problem[] }): readonly string[] {
  return problems.map(({ line, column, severity = 'error', code, path }) => {
    const place = line === undefined ? '' : `${line}:${column} `;
    return `${place}${severity} ${code} ${path}`;
  });
}

const INPUTS = new URL('../../../../../shared/inputs/', import.meta.url);
/** Files of real operators; not a part of this repository. */
export const haveInputs = existsSync(INPUTS);
export function input(path: string): string {
  return readFileSync(new URL(path, INPUTS), 'utf8');
}
