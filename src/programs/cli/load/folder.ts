/** A folder as the cluster gets it: built by Kustomize, with what a Flux Kustomization adds. */
import { join, relative } from 'node:path';
import type { Problem } from '../../../domain/api/problem.ts';
import type { DataOf } from '../../../domain/desired/flux/merge.ts';
import { variablesOf } from '../../../domain/desired/flux/substitute.ts';
import { readFolder, realPath, repositoryOf } from '../../../platform/files/folders.ts';
import { type Build, kustomize } from '../../../platform/files/kustomize.ts';
import { scratchOf } from '../../../platform/files/scratch.ts';
import { type BuiltDocs, builtDocs, type Variables } from './built.ts';
import type { Files } from './files.ts';
import { type FluxKustomization, kustomizationIn, rewritten } from './flux.ts';
import type { Library } from './library.ts';
import { type Fields, fields, items } from './record.ts';
import { nearest } from './release.ts';

/** What is below a folder that has no kustomization file itself. */
export interface Scan {
  /** YAML files that are not below a folder of their own. */
  readonly files: readonly string[];
  /** Folders with a kustomization file. */
  readonly kustomized: readonly string[];
}

/** What Flux's source-controller leaves out of an artifact, and what nobody means. */
const IGNORED =
  /^(\.git.*|\.circleci|\.travis\.yml|\.gitlab-ci\.yml|appveyor\.yml|\.drone\.yml|cloudbuild\.yaml|codeship-(services|steps)\.yml|\.goreleaser\.yml|\.sops\.yaml|\.flux\.yaml|node_modules)$/;
const YAML = /\.ya?ml$/;

/** Looks through a folder; a link back to a folder around it is followed once. Throws what node:fs throws. */
export async function scan(folder: string, seen: Set<string> = new Set()): Promise<Scan> {
  const real = await realPath(folder);
  if (seen.has(real)) return { files: [], kustomized: [] };
  seen.add(real);
  const { files, folders } = await readFolder(folder);
  if (kustomizationIn(files) !== undefined) return { files: [], kustomized: [folder] };
  const found = files.filter((name) => YAML.test(name) && !IGNORED.test(name)).map((n) => join(folder, n));
  const kustomized: string[] = [];
  for (const name of folders.filter((n) => !IGNORED.test(n))) {
    const inner = await scan(join(folder, name), seen);
    found.push(...inner.files);
    kustomized.push(...inner.kustomized);
  }
  return { files: found, kustomized };
}

export interface BuildOptions {
  readonly files: Files;
  /** The Kustomization that carries the folder to the cluster. */
  readonly flux?: FluxKustomization;
  /** Where its references are looked up. */
  readonly library: Library;
}

/** The objects of a folder. `unreadable`: why nothing could be built. */
export async function buildFolder(
  folder: string,
  o: BuildOptions,
): Promise<BuiltDocs & { readonly unreadable?: string }> {
  const { flux, library } = o;
  const variables = flux && fluxVariables(flux, library);
  if (variables && 'problem' in variables) return { docs: [], problems: [variables.problem] };
  const build = await kustomizeFolder(folder, o);
  if ('failed' in build) {
    const hint = build.missing ? '; it is needed for folders with a kustomization file' : '';
    return { docs: [], problems: [], unreadable: `kubectl kustomize: ${build.failed}${hint}` };
  }
  const replaced = variables && variables.values.size + variables.encrypted.size > 0;
  const always = flux?.spec.postBuild?.substituteStrategy === 'Always';
  return await builtDocs(build.text, {
    folder,
    files: o.files,
    ...(flux && { flux }),
    ...((replaced || always) && variables && { variables }),
  });
}

async function kustomizeFolder(folder: string, { files, flux }: BuildOptions): Promise<Build> {
  const real = await realPath(folder);
  const name = kustomizationIn((await readFolder(folder)).files);
  const file =
    name === undefined ? await generated(folder) : await readKustomization(join(folder, name), files);
  // Kustomize says best what is wrong with its file.
  if (!file) return await kustomize(real);
  const edited = flux ? rewritten(file, flux) : file;
  const text = JSON.stringify({
    ...edited,
    buildMetadata: [...new Set([...items(edited.buildMetadata), 'originAnnotations'])],
  });
  const scratch = await scratchOf({
    root: (await repositoryOf(folder)) ?? '/',
    folder,
    files: new Map([[name ?? 'kustomization.yaml', text]]),
  });
  try {
    const build = await kustomize(scratch.path);
    if (!('failed' in build)) return build;
    const failed = build.failed.replaceAll(scratch.path, folder).replaceAll(scratch.root, '');
    return { ...build, failed };
  } finally {
    await scratch.close();
  }
}

/** As kustomize types it; undefined where it is not the map that it should be. */
async function readKustomization(path: string, files: Files): Promise<Fields | undefined> {
  const { docs } = await files.read(path);
  const typed = docs.length === 1 ? docs[0]?.typed('go') : undefined;
  if (!typed || 'problems' in typed || (typed.duplicates ?? []).length > 0) return undefined;
  return fields(typed.value);
}

/** The kustomization file that Flux generates where there is none: all YAML files below, and folders that have their own. */
async function generated(folder: string): Promise<Fields> {
  const { files, kustomized } = await scan(folder);
  return { resources: [...files, ...kustomized].map((path) => relative(folder, path)).sort() };
}

/** The variables of a Kustomization, or why Flux would refuse to build it. */
function fluxVariables(flux: FluxKustomization, library: Library): Variables | { readonly problem: Problem } {
  const { doc, spec, title, namespace } = flux;
  const encrypted = new Map<string, string>();
  const data: DataOf = (kind, name) => {
    const object = library.find(kind, name, namespace);
    for (const key of object?.encrypted ?? []) encrypted.set(key, `${kind} ${name}`);
    return object && new Map([...object.data].filter(([key]) => !object.encrypted.has(key)));
  };
  const found = variablesOf(spec.postBuild ?? {}, data);
  if ('variables' in found) return { values: found.variables, encrypted };
  const path = found.reference ? ['spec', 'postBuild', 'substituteFrom'] : ['spec', 'postBuild'];
  return {
    problem: {
      code: 'SubstitutionFailed',
      object: title,
      path: path.join('.'),
      source: doc.file,
      ...nearest(doc, path),
      message: found.error,
      ...(found.reference && { hint: 'if it lives elsewhere, name that file too' }),
    },
  };
}
