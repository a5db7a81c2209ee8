import type { Loss, Losses } from '../../../domain/election/notice.ts';
import type { Family } from '../../../domain/ip/address.ts';
import { parseRange, type Range, rangesOverlap } from '../../../domain/ip/range.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import { answersArp, answersNdp, type Exclusion } from './interfaces.ts';

/**
 * What was lost counts again after it was back for so long: a switch port that restarts goes up and down a few times within
 * a second, and each time would move all addresses. The ring of speakers has healed by then, too, when it uses the link itself.
 */
export const RETURN_MS = 1_000;

/** What can be answered on an interface at the moment. */
export interface Present {
  readonly name: string;
  readonly families: readonly Family[];
  readonly nets: readonly Range[];
}

/** Which interfaces can matter to an election at all. */
export interface Relevant {
  /** Those that advertisements name. */
  readonly named: ReadonlySet<string>;
  /** Of the pools. */
  readonly ranges: readonly Range[];
}

/** The interfaces that are not excluded. `muted`: those that let no frame out. */
export function presentOn(
  links: Iterable<Link>,
  o: { readonly excluded: Exclusion; readonly muted: ReadonlySet<string> },
): readonly Present[] {
  return [...links].flatMap((link): readonly Present[] => {
    const { name, carrier, nets = [] } = link;
    if (o.excluded(name)) return [];
    const works = carrier && !o.muted.has(name);
    const families: Family[] = [];
    if (works && answersArp(link, o.excluded)) families.push('IPv4');
    if (works && answersNdp(link, o.excluded)) families.push('IPv6');
    return [{ name, families, nets: nets.flatMap(readNet) }];
  });
}

/** One family on one interface that worked at some time. */
interface Known {
  readonly name: string;
  readonly family: Family;
  /** Its subnets when it worked last. */
  nets: readonly Range[];
  works: boolean;
  /** After a loss: when the return began to hold; Infinity while it is lost. */
  since: number | undefined;
}

/** Remembers what could be answered on, and finds out what is lost. Times are milliseconds of one clock. */
export class InterfaceHistory {
  readonly #known = new Map<string, Known>();
  #hadAny = false;

  /** When a return will have held for long enough; Infinity: none is under way. */
  get next(): number {
    const ends = [...this.#known.values()].map(({ since = Number.POSITIVE_INFINITY }) => since + RETURN_MS);
    return Math.min(...ends);
  }

  /** Interfaces that became excluded are as if they had never been. */
  forget(excluded: Exclusion): void {
    for (const [key, { name }] of this.#known) if (excluded(name)) this.#known.delete(key);
  }

  /** What is lost now; undefined: nothing. A loss counts at once, a return after `RETURN_MS`. */
  look(now: number, present: readonly Present[], relevant: Relevant): Losses | undefined {
    for (const one of present) for (const family of FAMILIES) this.#note(now, one, family);
    const names = new Set(present.map(({ name }) => name));
    for (const [key, known] of this.#known) {
      if (!names.has(known.name)) lose(known);
      if (known.since !== undefined && known.works && now - known.since >= RETURN_MS) known.since = undefined;
      // Interfaces of containers come and go by the thousand.
      if (!names.has(known.name) && !matters(known, relevant)) this.#known.delete(key);
    }
    return this.#losses(names, relevant);
  }

  #note(now: number, { name, families, nets }: Present, family: Family): void {
    const key = `${family} ${name}`;
    const known = this.#known.get(key);
    const own = nets.filter((net) => net.family === family);
    // Who had addresses and has none any more is no part of its network. Without any from the start it answers all the same.
    const works = families.includes(family) && (own.length > 0 || (known?.nets.length ?? 0) === 0);
    if (!works) {
      if (known) lose(known);
      return;
    }
    this.#hadAny = true;
    if (!known) {
      this.#known.set(key, { name, family, nets: own, works, since: undefined });
      return;
    }
    known.nets = own;
    if (known.works) return;
    known.works = true;
    known.since = now;
  }

  #losses(names: ReadonlySet<string>, relevant: Relevant): Losses | undefined {
    const all = [...this.#known.values()];
    const working = all.filter(({ since }) => since === undefined);
    const nowhere = this.#hadAny && working.length === 0;
    const lost = all.filter((known) => known.since !== undefined && matters(known, relevant));
    if (lost.length === 0 && !nowhere) return undefined;
    const known = new Set([...names, ...all.map(({ name }) => name)]);
    const reached = working.flatMap(({ nets }) => nets);
    return {
      interfaces: byName(lost).map(([name, those]): Loss => {
        const nets = those.flatMap((one) => one.nets);
        return {
          name,
          families: FAMILIES.filter((family) => those.some((one) => one.family === family)),
          nets: nets.filter((net) => overlapsAny(net, relevant.ranges) && !overlapsAny(net, reached)),
        };
      }),
      absent: [...relevant.named].filter((name) => !known.has(name)).sort(),
      nowhere,
    };
  }
}

/** A line for people about each interface that is lost, with what is the matter with it as it stands. */
export function lossLines(
  { interfaces, nowhere }: Losses,
  o: { readonly links: Iterable<Link>; readonly muted: ReadonlySet<string> },
): readonly string[] {
  const links = new Map([...o.links].map((link) => [link.name, link]));
  const lines = interfaces.map(
    ({ name, families }) => `${name} (${families.join(', ')}): ${matterWith(links.get(name), o.muted)}`,
  );
  return nowhere ? [...lines, 'no interface is left to answer on'] : lines;
}

function matterWith(link: Link | undefined, muted: ReadonlySet<string>): string {
  if (!link) return 'it is gone';
  if (!link.up) return 'it is switched off';
  if (!link.carrier) return 'it has no carrier';
  if (muted.has(link.name)) return 'frames do not leave it, or nobody hears them';
  return 'it has no address that counts, or was without until a moment ago';
}

const FAMILIES = ['IPv4', 'IPv6'] as const satisfies readonly Family[];

function lose(known: Known): void {
  known.works = false;
  known.since = Number.POSITIVE_INFINITY;
}

function matters({ name, nets }: Known, { named, ranges }: Relevant): boolean {
  return named.has(name) || nets.some((net) => overlapsAny(net, ranges));
}

function overlapsAny(net: Range, others: readonly Range[]): boolean {
  return others.some((other) => rangesOverlap(net, other));
}

function byName(all: readonly Known[]): readonly (readonly [string, readonly Known[]])[] {
  const names = [...new Set(all.map(({ name }) => name))].sort();
  return names.map((name) => [name, all.filter((one) => one.name === name)] as const);
}

function readNet(text: string): readonly Range[] {
  const parsed = parseRange(text);
  return 'range' in parsed ? [parsed.range] : [];
}
