/** What both controllers are given: random steps over few names and few addresses, so that things collide all the time. */
import fc from 'fast-check';

/** Services, each in the namespace before the slash. */
export const SERVICES = ['t1/a', 't1/b', 't1/c', 't2/d', 't2/e', 't2/f'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** A Service as a step writes it; what is absent takes the plainest value. */
export interface ServiceSketch {
  readonly type?: 'LoadBalancer' | 'ClusterIP' | undefined;
  /** First family of a new Service. An existing one keeps its own: the API server lets nobody change it. */
  readonly primary?: 'IPv4' | 'IPv6' | undefined;
  readonly policy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack' | undefined;
  /** "TCP/80". */
  readonly ports?: readonly string[] | undefined;
  /** The app that it selects, and that labels it. */
  readonly app?: 'web' | 'db' | undefined;
  readonly local?: boolean | undefined;
  readonly loadBalancerIP?: string | undefined;
  readonly loadBalancerClass?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface PoolSpec {
  readonly addresses: readonly string[];
  readonly autoAssign?: boolean | undefined;
  readonly avoidBuggyIPs?: boolean | undefined;
  readonly serviceAllocation?: object | undefined;
}

/**
 * service: created, or edited to be so. status: its addresses are edited by somebody else. annotate: so is the annotation that
 * says where they come from. pool: created, or its spec replaced. restart: the controller ends, the changes happen, it starts.
 */
export type Change =
  | { readonly service: ServiceName; readonly sketch: ServiceSketch }
  | { readonly remove: ServiceName }
  | { readonly status: ServiceName; readonly ingress: readonly string[] }
  | { readonly annotate: ServiceName; readonly pool: string | null }
  | { readonly pool: string; readonly spec: PoolSpec }
  | { readonly removePool: string }
  | { readonly namespace: 't1' | 't2'; readonly team: 'red' | 'blue' | null }
  | { readonly community: string | null };
export type Step =
  | Change
  | { readonly restart: 'SIGTERM' | 'SIGKILL'; readonly meanwhile: readonly Change[] };

/** Every annotation that a sketch may carry, so that an edit can remove those that it does not. */
export const ANNOTATIONS = ['address-pool', 'loadBalancerIPs', 'allow-shared-ip'].flatMap((name) => [
  `metallb.io/${name}`,
  `metallb.universe.tf/${name}`,
]);

/** There once in so many. */
const rarely = <T>(inSoMany: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: inSoMany - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

// ---- Services ---------------------------------------------------------------------------

/** Addresses of each pool, of none, both families in either order, one family twice, and no address. */
const requests = fc.constantFrom(
  '192.0.2.1',
  '192.0.2.4',
  '192.0.2.9',
  '192.0.2.12',
  '2001:db8::1',
  '2001:db8::9',
  '192.0.2.2,2001:db8::2',
  '2001:db8::1, 192.0.2.3',
  '203.0.113.9',
  '192.0.2.1,192.0.2.2',
  'x',
);

/** The same annotation under the new prefix, the old one, or both with different values. */
function annotation(name: string, values: fc.Arbitrary<string>): fc.Arbitrary<Record<string, string>> {
  const [current, deprecated] = [`metallb.io/${name}`, `metallb.universe.tf/${name}`];
  return fc.oneof(
    { weight: 6, arbitrary: values.map((value) => ({ [current]: value })) },
    { weight: 2, arbitrary: values.map((value) => ({ [deprecated]: value })) },
    { weight: 1, arbitrary: fc.tuple(values, values).map(([a, b]) => ({ [current]: a, [deprecated]: b })) },
  );
}

const annotations = fc
  .tuple(
    rarely(3, annotation('allow-shared-ip', fc.constantFrom('k', 'k', 'k', 'l', ''))),
    rarely(5, annotation('loadBalancerIPs', requests)),
    rarely(7, annotation('address-pool', fc.constantFrom('open', 'manual', 'pinned', 'nowhere'))),
  )
  .map((parts): Record<string, string> => Object.assign({}, ...parts));

const sketch: fc.Arbitrary<ServiceSketch> = fc.record({
  type: rarely(8, fc.constant('ClusterIP' as const)),
  primary: rarely(4, fc.constant('IPv6' as const)),
  policy: rarely(3, fc.constantFrom('PreferDualStack', 'PreferDualStack', 'RequireDualStack')),
  ports: rarely(
    3,
    fc.uniqueArray(fc.constantFrom('TCP/80', 'TCP/443', 'UDP/80'), { minLength: 1, maxLength: 2 }),
  ),
  app: rarely(3, fc.constant('db' as const)),
  local: rarely(5, fc.constant(true)),
  loadBalancerIP: rarely(12, fc.constantFrom('192.0.2.5', '2001:db8::9', '203.0.113.9')),
  loadBalancerClass: rarely(12, fc.constant('example.com/other')),
  annotations,
});

// ---- Pools ------------------------------------------------------------------------------

/**
 * MetalLB chooses among equal pools by chance, so that no two are equal while a configuration is good: the two that are open to
 * all overlap in each of their forms, and those for some have different priorities.
 */
const openToAll = fc.record({
  addresses: fc.constantFrom(
    ['192.0.2.0/30'],
    ['192.0.2.0/29'],
    ['192.0.2.0-192.0.2.2'],
    ['192.0.2.0/30', '2001:db8::/126'],
    ['192.0.2.0/30', '2001:db8::/126'],
    ['2001:db8::/125', '192.0.2.4-192.0.2.5', '192.0.2.0/31'],
  ),
  autoAssign: rarely(8, fc.constant(false)),
  avoidBuggyIPs: rarely(5, fc.constant(true)),
});

const forSome = (priority: number | undefined, addresses: readonly string[][]): fc.Arbitrary<PoolSpec> =>
  fc.record({
    addresses: fc.constantFrom(...addresses),
    autoAssign: rarely(8, fc.constant(false)),
    serviceAllocation: fc
      .record({
        namespaces: rarely(3, fc.constantFrom(['t1'], ['t2'], ['t1', 't2'], ['t3'])),
        namespaceSelectors: rarely(
          3,
          fc.constantFrom([{ matchLabels: { team: 'red' } }], [{ matchLabels: { team: 'blue' } }]),
        ),
        serviceSelectors: rarely(3, fc.constant([{ matchLabels: { app: 'db' } }])),
      })
      .map((allocation) => ({ ...allocation, priority })),
  });

const pools: Readonly<Record<string, fc.Arbitrary<PoolSpec>>> = {
  open: openToAll,
  renamed: openToAll,
  manual: fc.record({
    addresses: fc.constantFrom(
      ['192.0.2.8/30'],
      ['192.0.2.8-192.0.2.9', '2001:db8::8/126'],
      ['2001:db8::9/128'],
      ['192.0.2.4/30'],
      ['nonsense'],
      [],
    ),
    autoAssign: fc.constant(false),
  }),
  pinned: forSome(10, [['192.0.2.12/31'], ['192.0.2.12/31', '2001:db8::c/127'], ['192.0.2.2/31']]),
  shy: forSome(20, [['192.0.2.14/32'], ['2001:db8::e/128'], ['192.0.2.14/31', '2001:db8::e/128']]),
  last: forSome(undefined, [['192.0.2.252/30'], ['192.0.2.254/31', '2001:db8::f/128']]),
};

// ---- Steps ------------------------------------------------------------------------------

const service = fc.constantFrom(...SERVICES);
const putPool = (names: readonly string[]) =>
  fc
    .constantFrom(...names)
    .chain((pool) => (pools[pool] ?? openToAll).map((spec): Change => ({ pool, spec })));
const addresses = fc.constantFrom([], ['192.0.2.1'], ['192.0.2.8'], ['2001:db8::1'], ['203.0.113.9']);

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 16, arbitrary: fc.record({ service, sketch }) },
  { weight: 3, arbitrary: fc.record({ remove: service }) },
  { weight: 2, arbitrary: fc.record({ status: service, ingress: addresses }) },
  { weight: 1, arbitrary: fc.record({ annotate: service, pool: fc.constantFrom('open', 'bogus', null) }) },
  { weight: 7, arbitrary: putPool(Object.keys(pools)) },
  { weight: 2, arbitrary: fc.record({ removePool: fc.constantFrom(...Object.keys(pools)) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      namespace: fc.constantFrom('t1', 't2'),
      team: fc.constantFrom('red', 'blue', null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ community: fc.constantFrom('65000:1', 'nonsense', null) }) },
);

const restart: fc.Arbitrary<Step> = fc.record({
  restart: fc.constantFrom('SIGTERM', 'SIGKILL'),
  meanwhile: fc.array(change, { maxLength: 2 }),
});

/** A pool and a Service, then anything. */
export const history = (o: {
  readonly minLength: number;
  readonly maxLength: number;
}): fc.Arbitrary<Step[]> =>
  fc
    .tuple(
      putPool(['open']),
      fc.record({ service, sketch }),
      fc.array(fc.oneof({ weight: 30, arbitrary: change }, { weight: 2, arbitrary: restart }), {
        ...o,
        size: 'max',
      }),
    )
    .map(([pool, first, rest]) => [pool, first, ...rest]);
