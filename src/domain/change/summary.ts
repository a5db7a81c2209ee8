import type { Affected, Fate, Step } from './model.ts';

/** A plan in numbers. */
export interface Summary {
  /** By kind, in the order of the kinds' names. */
  readonly kinds: readonly {
    readonly kind: string;
    readonly create: number;
    readonly update: number;
    readonly delete: number;
  }[];
  /** Objects by what happens to them, all kinds together; an object counts once. */
  readonly objects: Readonly<Record<Step['action'], number>>;
  /** Services by their worst fate. */
  readonly services: Readonly<Record<Fate, number>>;
}

/** How bad a fate is; the worst first. */
const WORST: readonly Fate[] = ['loses', 'moves', 'unannounced', 'changes-owner'];

/** The worse of two accounts of one Service, with all addresses that both speak of. */
export function worse(a: Affected, b: Affected): Affected {
  const [first, second] = WORST.indexOf(a.fate) <= WORST.indexOf(b.fate) ? [a, b] : [b, a];
  if (first.addresses === second.addresses) return first;
  return { ...first, addresses: [...new Set([...first.addresses, ...second.addresses])] };
}

/** Each Service once, by name. */
export function eachOnce(list: readonly Affected[]): readonly Affected[] {
  const known = new Map<string, Affected>();
  for (const one of list) {
    const before = known.get(one.service);
    known.set(one.service, before ? worse(before, one) : one);
  }
  return [...known.values()].sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** Counts steps and the Services that they concern. `affected`: of those steps alone unless given. */
export function summaryOf(
  steps: readonly Step[],
  affected: readonly Affected[] = eachOnce(steps.flatMap((s) => s.affected)),
): Summary {
  const objects = { create: 0, update: 0, delete: 0 };
  const kinds = new Map<string, { create: number; update: number; delete: number }>();
  for (const [object, action] of new Map(steps.map((s) => [s.object, s.action]))) {
    const kind = object.slice(0, object.indexOf(' '));
    const counts = kinds.get(kind) ?? { create: 0, update: 0, delete: 0 };
    kinds.set(kind, counts);
    counts[action]++;
    objects[action]++;
  }
  const services = { moves: 0, loses: 0, unannounced: 0, 'changes-owner': 0 };
  for (const { fate } of affected) services[fate]++;
  return {
    kinds: [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, counts]) => ({ kind, ...counts })),
    objects,
    services,
  };
}

const NOUNS: Readonly<Record<string, string>> = {
  IPAddressPool: 'pool',
  L2Advertisement: 'L2 advertisement',
  BGPAdvertisement: 'BGP advertisement',
  BGPPeer: 'BGP peer',
  BFDProfile: 'BFD profile',
  Community: 'community object',
  Secret: 'secret',
};

const FATES: readonly (readonly [Fate, one: string, many: string])[] = [
  ['loses', 'loses its address', 'lose their address'],
  ['moves', 'gets another address', 'get another address'],
  ['unannounced', 'is no longer announced', 'are no longer announced'],
  ['changes-owner', 'is announced by another node', 'are announced by another node'],
];

/** "2 pools changed, 1 removed; 3 Services lose their address". "no change" when there is none. */
export function summaryText({ kinds, services }: Summary): string {
  const objects = kinds.map(({ kind, create, update, delete: gone }) => {
    const counts = [
      [create, 'added'],
      [update, 'changed'],
      [gone, 'removed'],
    ] as const;
    const noun = NOUNS[kind] ?? kind;
    return counts
      .filter(([n]) => n > 0)
      .map(([n, verb], i) => (i === 0 ? `${n} ${n === 1 ? noun : `${noun}s`} ${verb}` : `${n} ${verb}`))
      .join(', ');
  });
  const fates = FATES.filter(([fate]) => services[fate] > 0).map(([fate, one, many], i) => {
    const n = services[fate];
    const who = i === 0 ? `${n} ${n === 1 ? 'Service' : 'Services'}` : `${n}`;
    return `${who} ${n === 1 ? one : many}`;
  });
  const parts = [objects.join(', '), fates.join(', ')].filter((part) => part !== '');
  return parts.length === 0 ? 'no change' : parts.join('; ');
}
