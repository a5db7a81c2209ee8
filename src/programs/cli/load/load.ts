/** From the paths of a command line to what each cluster would get. */
import { basename, dirname, isAbsolute, join, normalize, relative } from 'node:path';
import type { Problem } from '../../../domain/api/problem.ts';
import { diskError, isFolder, realPath, repositoryOf } from '../../../platform/files/folders.ts';
import type { BuiltDocs } from './built.ts';
import type { Doc } from './document.ts';
import { Files, STDIN } from './files.ts';
import { type FluxKustomization, kustomizationIn, readFluxKustomization } from './flux.ts';
import { buildFolder, scan } from './folder.ts';
import { referencedBy } from './left.ts';
import { Library } from './library.ts';
import { gather, type Overlay } from './sources.ts';

export interface Loaded {
  readonly overlays: readonly Overlay[];
  /** Files that were read, and folders that were built. */
  readonly read: readonly string[];
  /** What the disk does not give, and what cannot be built. */
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
}

export interface LoadOptions {
  /** A file with Flux Kustomizations: the folders that they name are built as they say. */
  readonly fluxKustomization?: string;
}

/**
 * Reads files, folders and overlays. A folder is one overlay; so are the files that are named from one folder. A folder with a
 * kustomization file is built; one without is read file by file, as Flux would collect them.
 */
export async function load(paths: readonly string[], options: LoadOptions = {}): Promise<Loaded> {
  const loader = new Loader();
  for (const path of paths) await loader.path(path);
  if (options.fluxKustomization !== undefined) await loader.fluxFile(options.fluxKustomization);
  return await loader.end();
}

/** Documents of one cluster, before it is known what they mean. */
interface Draft {
  readonly title: string;
  readonly docs: Doc[];
  readonly problems: Problem[];
  readonly joined: boolean;
}

/** A folder that is built, and the overlay that it belongs to. */
interface Build {
  readonly folder: string;
  /** The folder around it whose files were read: it belongs to that when a Kustomization there carries it. */
  readonly around?: string;
}

class Loader {
  readonly #files = new Files();
  readonly #drafts = new Map<string, Draft>();
  readonly #named = new Set<string>();
  readonly #read = new Set<string>();
  readonly #unreadable = new Map<string, string>();
  readonly #builds = new Map<string, Build>();
  readonly #built = new Map<string, BuiltDocs>();
  /** By the folder that they carry, without symbolic links. */
  readonly #flux = new Map<string, FluxKustomization>();

  async path(given: string): Promise<void> {
    const path = given === STDIN ? given : normalize(given);
    try {
      if (path !== STDIN && (await isFolder(path))) await this.#folder(path);
      else if (kustomizationIn([basename(path)]) !== undefined) await this.#folder(dirname(path));
      else await this.#file(path);
    } catch (e) {
      const reason = diskError(e);
      if (reason === undefined) throw e;
      this.#unreadable.set(path, reason);
    }
  }

  async #file(file: string): Promise<void> {
    this.#named.add(file);
    const draft = this.#draft(dirname(file), { title: file, joined: false });
    // Naming a Kustomization means what it carries.
    const folders = await this.#take(file, draft);
    for (const folder of folders) this.#builds.set(folder, { folder, around: dirname(file) });
  }

  async #folder(folder: string): Promise<void> {
    const found = await scan(folder);
    for (const kustomized of found.kustomized)
      this.#builds.set(kustomized, { folder: kustomized, ...(kustomized !== folder && { around: folder }) });
    if (found.files.length > 0 || found.kustomized.length === 0) {
      const draft = this.#draft(folder, { title: folder, joined: true });
      for (const file of found.files) await this.#take(file, draft);
      if (found.files.length === 0) draft.problems.push(nothing(folder));
    }
  }

  /** Reads a file into an overlay; gives the folders that Kustomizations in it carry. */
  async #take(file: string, draft: Draft): Promise<readonly string[]> {
    if (this.#read.has(file)) return [];
    const { docs, problems, unreadable } = await this.#files.read(file);
    if (unreadable !== undefined) {
      this.#unreadable.set(file, unreadable);
      return [];
    }
    this.#read.add(file);
    draft.docs.push(...docs);
    draft.problems.push(...problems);
    if (docs.length === 0 && problems.length === 0 && this.#named.has(file)) draft.problems.push(blank(file));
    const flux = await this.#learn(docs, dirname(file));
    draft.problems.push(...flux.problems);
    return flux.folders;
  }

  #draft(key: string, o: Pick<Draft, 'title' | 'joined'>): Draft {
    const draft = this.#drafts.get(key) ?? { ...o, docs: [], problems: [] };
    this.#drafts.set(key, draft);
    return draft;
  }

  /** Kustomizations among the documents, with the folders of this repository that they carry. */
  async #learn(docs: readonly Doc[], from: string) {
    const readings = docs.flatMap((doc) => readFluxKustomization(doc) ?? []);
    const root = readings.length > 0 ? await repositoryOf(from) : undefined;
    const folders: string[] = [];
    for (const reading of readings) {
      if (!('flux' in reading) || root === undefined) continue;
      const folder = join(root, reading.flux.path);
      const real = await realPath(folder).catch(() => undefined);
      if (real === undefined || !(await isFolder(real))) continue;
      if (!this.#flux.has(real)) this.#flux.set(real, reading.flux);
      folders.push(isAbsolute(from) ? folder : relative('', folder) || '.');
    }
    return { folders, problems: readings.flatMap((r) => ('problems' in r ? r.problems : [])) };
  }

  /** `--flux-kustomization`: one Kustomization whose path leads nowhere here carries the one folder that was named. */
  async fluxFile(file: string): Promise<void> {
    const { docs, unreadable } = await this.#files.read(file);
    const flux = docs.flatMap((doc) => {
      const reading = readFluxKustomization(doc);
      return reading && 'flux' in reading ? [reading.flux] : [];
    });
    const [only] = flux;
    if (!only) {
      this.#unreadable.set(file, unreadable ?? 'holds no Kustomization of Flux');
      return;
    }
    await this.#learn(docs, dirname(file));
    const folders = [...this.#foldersNamed()];
    const real = await Promise.all(folders.map(realPath));
    if (real.some((folder) => this.#flux.get(folder)?.doc.file === file)) return;
    const [folder] = real;
    if (flux.length === 1 && real.length === 1 && folder !== undefined) this.#flux.set(folder, only);
    else this.#unreadable.set(file, `none of its Kustomizations carries ${folders.join(' or ') || 'a file'}`);
  }

  *#foldersNamed(): Iterable<string> {
    for (const { folder } of this.#builds.values()) yield folder;
    for (const [folder, { joined }] of this.#drafts) if (joined) yield folder;
  }

  async #carrier(folder: string): Promise<FluxKustomization | undefined> {
    return this.#flux.get(await realPath(folder));
  }

  #docs(): readonly Doc[] {
    return [...this.#drafts.values(), ...this.#built.values()].flatMap(({ docs }) => docs);
  }

  async #build(folder: string, flux: FluxKustomization | undefined): Promise<void> {
    const library = new Library(this.#docs());
    const { unreadable, ...built } = await buildFolder(folder, {
      files: this.#files,
      library,
      ...(flux && { flux }),
    });
    if (unreadable !== undefined) this.#unreadable.set(folder, unreadable);
    else this.#read.add(folder);
    this.#built.set(folder, built);
    await this.#learn(built.docs, folder);
  }

  /** Builds all folders; those again that a Kustomization carries which only another build has shown. */
  async #buildAll(): Promise<void> {
    const carried = new Map<string, FluxKustomization | undefined>();
    for (const [folder, { joined }] of this.#drafts) {
      if (!joined || !(await this.#carrier(folder))) continue;
      // The folders inside are part of what Flux generates.
      for (const build of this.#builds.values())
        if (build.around === folder) this.#builds.delete(build.folder);
      this.#builds.set(folder, { folder });
    }
    const folders = [...this.#builds.keys()];
    const first = await Promise.all(folders.map((folder) => this.#carrier(folder)));
    const order = folders.toSorted(
      (a, b) => Number(!!first[folders.indexOf(a)]) - Number(!!first[folders.indexOf(b)]),
    );
    for (const folder of order) {
      carried.set(folder, await this.#carrier(folder));
      await this.#build(folder, carried.get(folder));
    }
    for (const folder of order) {
      const flux = await this.#carrier(folder);
      if (flux && flux !== carried.get(folder)) await this.#build(folder, flux);
    }
  }

  async end(): Promise<Loaded> {
    await this.#buildAll();
    for (const [folder, { docs, problems }] of this.#built) {
      const flux = await this.#carrier(folder);
      const { around } = this.#builds.get(folder) ?? {};
      const outer = around === undefined ? undefined : this.#drafts.get(around);
      const joined = flux && outer?.docs.includes(flux.doc) ? outer : undefined;
      // What was read of a folder that is built is not what the cluster gets.
      if (!joined) this.#drafts.delete(folder);
      const draft = joined ?? this.#draft(folder, { title: folder, joined: true });
      draft.docs.push(...docs);
      draft.problems.push(...problems);
    }
    return {
      overlays: this.#overlays(),
      read: [...this.#read],
      unreadable: [...this.#unreadable].map(([file, reason]) => ({ file, reason })),
    };
  }

  #overlays(): readonly Overlay[] {
    const drafts = [...this.#drafts.values()];
    const all = drafts.flatMap((d) => d.docs);
    const referenced = referencedBy(all);
    return drafts.map(({ title, joined, docs, problems }) => {
      const library = new Library([...docs, ...all]);
      const overlay = gather({ title, joined, docs, library, referenced, named: this.#named });
      return { ...overlay, problems: [...problems, ...overlay.problems] };
    });
  }
}

function nothing(folder: string): Problem {
  return {
    code: 'UnknownKind',
    severity: 'warning',
    path: '',
    source: folder,
    message: 'there is no YAML file in the folder',
  };
}

function blank(file: string): Problem {
  return {
    code: 'EmptySource',
    severity: 'notice',
    path: '',
    source: file,
    message: 'there is nothing in it',
  };
}
