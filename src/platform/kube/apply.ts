/** Server-side apply: the way Herald writes whole objects. */
import type { Request } from './ports.ts';

/** Said for each write: who writes, to which part, and whether it is only tried. */
export interface WriteOptions {
  /** e.g. "herald-controller"; each component owns the fields that it has applied. */
  readonly fieldManager?: string;
  readonly subresource?: 'status';
  /** The server does everything but store. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take fields over from other managers; default true, since git is the truth. */
  readonly force?: boolean;
}

/** The query that goes with each write. */
export function writeQuery(o: WriteOptions): Record<string, string | undefined> {
  return { fieldManager: o.fieldManager, dryRun: o.dryRun ? 'All' : undefined };
}

/** `path` is the object's own. JSON is a subset of the YAML that the content type names. */
export function applyRequest(path: string, body: object, o: ApplyOptions): Request {
  return {
    method: 'PATCH',
    path,
    query: { ...writeQuery(o), force: String(o.force ?? true) },
    contentType: 'application/apply-patch+yaml',
    body,
    ...(o.signal ? { signal: o.signal } : {}),
  };
}
