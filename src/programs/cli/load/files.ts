import type { Problem } from '../../../domain/api/problem.ts';
import { readText, textProblem } from '../../../platform/files/files.ts';
import { diskError } from '../../../platform/files/folders.ts';
import { type Doc, readDocuments } from './document.ts';

/** A file as it was read. */
export interface FileText {
  readonly file: string;
  /** "" where there is no text. */
  readonly text: string;
  readonly docs: readonly Doc[];
  readonly problems: readonly Problem[];
  /** Why the disk does not give it. */
  readonly unreadable?: string;
}

/** What the command line calls standard input. */
export const STDIN = '-';

/** Reads each file once. */
export class Files {
  readonly #read = new Map<string, Promise<FileText>>();

  read(file: string): Promise<FileText> {
    const known = this.#read.get(file) ?? load(file);
    this.#read.set(file, known);
    return known;
  }
}

async function load(file: string): Promise<FileText> {
  const empty = { file, text: '', docs: [], problems: [] };
  try {
    const text = await readText(file === STDIN ? '/dev/stdin' : file);
    return { file, text, ...readDocuments(file, text) };
  } catch (e) {
    const problem = textProblem(e, file);
    if (problem) return { ...empty, problems: [problem] };
    const unreadable = diskError(e);
    if (unreadable === undefined) throw e;
    return { ...empty, unreadable };
  }
}
