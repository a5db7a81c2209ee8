import { checker } from '../api/check.ts';
import { bool, int, list, object, oneOfStrings, str, type TypeOf } from '../api/schema.ts';
import type { Family } from '../ip/address.ts';
import { formatRange, parseRange, type Range } from '../ip/range.ts';

/** An interface on which a node answered, and can no longer: its carrier or the family is gone, or frames do not leave. */
export interface Loss {
  readonly name: string;
  readonly families: readonly Family[];
  /** Its subnets that no other interface of the node reaches. */
  readonly nets: readonly Range[];
}

/** What a node has lost. Absent where this type stands as an option: nothing. */
export interface Losses {
  readonly interfaces: readonly Loss[];
  /** Interfaces that advertisements name and that the node never had; none of them replaces a lost one. */
  readonly absent: readonly string[];
  /** No interface is left on which it could answer at all. */
  readonly nowhere: boolean;
}

/** What a speaker of Herald tells the others about its node. */
export interface Notice {
  readonly losses?: Losses;
  /** It passes over cordoned nodes as soon as all others do. */
  readonly heedsCordon: boolean;
  /** MACs at which other nodes answered for their addresses and no longer do, as this node hears it. */
  readonly unheard?: readonly string[];
}

/** memberlist's limit on the metadata of a member, bytes. */
const MOST_BYTES = 512;
/** Later versions add fields and change none. */
const VERSION = 1;
const FAMILIES = { '4': ['IPv4'], '6': ['IPv6'], '46': ['IPv4', 'IPv6'] } as const satisfies Record<
  string,
  readonly Family[]
>;

const LOST = object(
  { if: str(), fam: oneOfStrings(['4', '6', '46']), nets: list(str(), undefined, { maxItems: 64 }) },
  undefined,
  { required: ['if', 'fam'] },
);
const LOSSES = {
  nowhere: bool(),
  absent: list(str(), undefined, { maxItems: 64 }),
  lost: list(LOST, undefined, { maxItems: 64 }),
};
const NOTICE = object(
  {
    herald: int(undefined, { minimum: VERSION }),
    cordon: bool(),
    ...LOSSES,
    unheard: list(str(), undefined, { maxItems: 64 }),
  },
  undefined,
  { required: ['herald'] },
);
const checkNotice = checker(NOTICE);
const LOSSES_ALONE = object(LOSSES);
const checkLosses = checker(LOSSES_ALONE);

/**
 * The notice as a member's metadata: JSON, for example `{"herald":1,"cordon":true,"lost":[{"if":"eth1","fam":"4"}]}`.
 * What does not fit is left out from the end; `whole` says whether all did.
 */
export function writeNotice(notice: Notice): { bytes: Uint8Array; whole: boolean } {
  const { losses, heedsCordon, unheard = [] } = notice;
  const wire = losses && lossesWire(losses);
  const lost = [...(wire?.lost ?? [])];
  for (;;) {
    const text = JSON.stringify({
      herald: VERSION,
      ...(heedsCordon && { cordon: true }),
      ...wire,
      ...(wire && { lost }),
      ...(unheard.length > 0 && { unheard }),
    });
    const bytes = new TextEncoder().encode(text);
    // What others have lost counts for less than what we have.
    if (bytes.length > MOST_BYTES && unheard.length > 0)
      return writeNotice({ ...notice, unheard: unheard.slice(1) });
    if (bytes.length <= MOST_BYTES) return { bytes, whole: lost.length === (wire?.lost.length ?? 0) };
    if (lost.pop() === undefined) return writeNotice({ heedsCordon });
  }
}

/** Undefined for what no speaker of Herald says, as of MetalLB's, which says nothing. */
export function readNotice(meta: Uint8Array): Notice | undefined {
  if (meta.length === 0 || meta.length > MOST_BYTES) return undefined;
  const value = parse(new TextDecoder().decode(meta));
  if (!checkNotice.fits(value)) return undefined;
  const losses = lossesOf(value);
  return {
    heedsCordon: value.cordon ?? false,
    ...(value.unheard !== undefined && { unheard: value.unheard }),
    ...(losses && { losses }),
  };
}

/** Losses alone, in the words of the notice, for those that do not hear the speakers themselves. */
export function writeLosses(losses: Losses): string {
  return JSON.stringify(lossesWire(losses));
}

/** Undefined for nothing lost, and for what no speaker writes. */
export function readLosses(text: string): Losses | undefined {
  const value = parse(text);
  return checkLosses.fits(value) ? lossesOf(value) : undefined;
}

/** Losses in the words of the notice: plain data of one form, so that equal losses have equal text. */
export function lossesWire({ interfaces, absent, nowhere }: Losses) {
  return {
    ...(nowhere && { nowhere }),
    ...(absent.length > 0 && { absent }),
    lost: interfaces.map(({ name, families, nets }) => ({
      if: name,
      fam: familiesWord(families),
      ...(nets.length > 0 && { nets: nets.map(formatRange) }),
    })),
  };
}

function familiesWord(families: readonly Family[]): keyof typeof FAMILIES {
  if (families.length > 1) return '46';
  return families[0] === 'IPv4' ? '4' : '6';
}

function lossesOf({
  lost = [],
  absent = [],
  nowhere = false,
}: TypeOf<typeof LOSSES_ALONE>): Losses | undefined {
  return lost.length > 0 || nowhere ? { interfaces: lost.map(readLoss), absent, nowhere } : undefined;
}

function readLoss({ if: name, fam, nets = [] }: TypeOf<typeof LOST>): Loss {
  const ranges = nets.flatMap((text) => {
    const parsed = parseRange(text);
    return 'range' in parsed ? [parsed.range] : [];
  });
  return { name, families: FAMILIES[fam], nets: ranges };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
