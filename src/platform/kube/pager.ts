/** Reads a whole collection in pages, without ever holding more than the text of one and a single raw object. */
import { breather } from '../obs/clock.ts';
import { isGone, isRecord } from './errors.ts';
import { readList } from './list.ts';
import type { KubeClient } from './ports.ts';

/** As client-go: large enough for few round trips, small enough that a page parses in a few milliseconds. */
const PAGE = 500;

export interface ListRequest {
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** "" asks a quorum; "0" takes what the server's cache has; another is a lower bound, or exact with `exact`. */
  readonly resourceVersion: string;
  readonly exact?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly retry?: boolean;
  /** Called for each object, in the server's order. May be called again from the first one: then `restart` came before. */
  readonly item: (raw: unknown) => void;
  /** What was given to `item` so far is void: a page token expired, and the list begins anew. */
  readonly restart: () => void;
}

interface Page {
  readonly items: Iterable<unknown>;
  readonly resourceVersion: string;
  readonly next: string;
}

function pageOf(path: string, raw: unknown): Page {
  const meta = isRecord(raw) && isRecord(raw.metadata) ? raw.metadata : undefined;
  // `items` is null for an empty list of some servers.
  const items: unknown = isRecord(raw) ? (raw.items ?? []) : undefined;
  if (!meta || !isIterable(items) || typeof meta.resourceVersion !== 'string') {
    throw new Error(`LIST ${path}: the answer is not a list`);
  }
  return {
    items,
    resourceVersion: meta.resourceVersion,
    next: typeof meta.continue === 'string' ? meta.continue : '',
  };
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

/** resourceVersionMatch has to be said with a limit: without it a version means "exactly this one". */
function matchOf(r: ListRequest): string | undefined {
  if (r.exact) return 'Exact';
  return r.resourceVersion === '' || r.resourceVersion === '0' ? undefined : 'NotOlderThan';
}

/** Resolves to the resourceVersion of the whole list, from which a watch may go on. Throws what the client throws. */
export async function listPages(client: KubeClient, r: ListRequest): Promise<string> {
  const selectors = { labelSelector: r.labelSelector, fieldSelector: r.fieldSelector };
  const get = async (query: Record<string, string | undefined>): Promise<Page> =>
    pageOf(
      r.path,
      await client.request({
        method: 'GET',
        path: r.path,
        query: { ...selectors, ...query },
        parse: readList,
        ...(r.signal ? { signal: r.signal } : {}),
        ...(r.retry === undefined ? {} : { retry: r.retry }),
      }),
    );
  const version = { resourceVersion: r.resourceVersion || undefined, resourceVersionMatch: matchOf(r) };
  let page = await get({ ...version, limit: String(PAGE) });
  for (;;) {
    await feed(page.items, r);
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

async function feed(items: Iterable<unknown>, r: ListRequest): Promise<void> {
  const breathe = breather();
  for (const item of items) {
    r.item(item);
    const pause = breathe();
    if (pause) await pause;
  }
}
