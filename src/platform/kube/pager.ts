/** Reads a whole collection in pages, without ever holding more than a single raw object. */
import { isGone, isRecord } from './errors.ts';
import { ListReader } from './list.ts';
import type { KubeClient } from './ports.ts';

/** As client-go: large enough for few round trips, small enough that a page parses in a few milliseconds. */
const PAGE = 500;

export interface ListRequest<V> {
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** "" asks a quorum; "0" takes what the server's cache has; another is a lower bound, or exact with `exact`. */
  readonly resourceVersion: string;
  readonly exact?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly retry?: boolean;
  /** What is kept of an object. Called again for the same ones when an answer was cut off and is asked for anew. */
  readonly read: (raw: unknown) => V;
  /** Called for each object, in the server's order. May be called again from the first one: then `restart` came before. */
  readonly item: (value: V) => void;
  /** What was given to `item` so far is void: a page token expired, and the list begins anew. */
  readonly restart: () => void;
}

interface Page {
  readonly resourceVersion: string;
  readonly next: string;
}

function pageOf(path: string, raw: unknown): Page {
  const meta = isRecord(raw) && isRecord(raw.metadata) ? raw.metadata : undefined;
  // `items` is null for an empty list of some servers, and taken out by the reader elsewhere.
  const items: unknown = isRecord(raw) ? (raw.items ?? []) : undefined;
  if (!meta || !Array.isArray(items) || typeof meta.resourceVersion !== 'string') {
    throw new Error(`LIST ${path}: the answer is not a list`);
  }
  return {
    resourceVersion: meta.resourceVersion,
    next: typeof meta.continue === 'string' ? meta.continue : '',
  };
}

/** resourceVersionMatch has to be said with a limit: without it a version means "exactly this one". */
function matchOf(r: Pick<ListRequest<unknown>, 'exact' | 'resourceVersion'>): string | undefined {
  if (r.exact) return 'Exact';
  return r.resourceVersion === '' || r.resourceVersion === '0' ? undefined : 'NotOlderThan';
}

/** Resolves to the resourceVersion of the whole list, from which a watch may go on. Throws what the client throws. */
export async function listPages<V>(client: KubeClient, r: ListRequest<V>): Promise<string> {
  const selectors = { labelSelector: r.labelSelector, fieldSelector: r.fieldSelector };
  const get = async (query: Record<string, string | undefined>): Promise<Page> => {
    let values: V[] = [];
    const answer = await client.request({
      method: 'GET',
      path: r.path,
      query: { ...selectors, ...query },
      reader() {
        values = [];
        return new ListReader((raw) => values.push(r.read(raw)));
      },
      ...(r.signal ? { signal: r.signal } : {}),
      ...(r.retry === undefined ? {} : { retry: r.retry }),
    });
    const page = pageOf(r.path, answer);
    for (const value of values) r.item(value);
    return page;
  };
  const version = { resourceVersion: r.resourceVersion || undefined, resourceVersionMatch: matchOf(r) };
  let page = await get({ ...version, limit: String(PAGE) });
  for (;;) {
    if (page.next === '') return page.resourceVersion;
    try {
      // A continue token carries its version; naming one beside it is an error.
      page = await get({ limit: String(PAGE), continue: page.next });
    } catch (e) {
      if (!isGone(e) || r.exact) throw e;
      // Compaction overtook us: once in full, which needs no token.
      r.restart();
      page = await get({ ...version });
    }
  }
}
