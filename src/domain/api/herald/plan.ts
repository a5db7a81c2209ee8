import { conditionList } from '../condition-schema.ts';
import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { int, list, object, oneOfStrings, str, type TypeOf } from '../schema.ts';
import { CHANGE_POLICIES } from '../values/entries.ts';
import { DIGEST_LENGTH, GROUP, NAME, NOT_YET, observedGeneration } from './common.ts';

/** How much of a plan its object shows; the counts beside the lists are of all there is. */
export const PLAN_BOUNDS = {
  steps: 64,
  changes: 16,
  /** Services of one step, and of the plan. */
  affected: 64,
  history: 10,
  /** Characters of a text. */
  text: 1024,
} as const;

const TEXT = { maxLength: PLAN_BOUNDS.text } as const;
const COUNT = { format: 'int32', minimum: 0 } as const;
const ATOMIC = { listType: 'atomic' } as const;

const digest = str(
  '"sha256:" and a hex digest of the steps that hurt and of whom they hurt; empty where nothing hurts. Approval names it.',
  { maxLength: DIGEST_LENGTH, pattern: '^(sha256:[0-9a-f]{64})?$' },
);
const sourceDigest = str('Digest of the text of the source that the plan was made for.', {
  maxLength: DIGEST_LENGTH,
});
const summary = str('The plan in a line: "1 pool removed; 2 Services lose their address".', TEXT);

const affected = object(
  {
    service: str('The Service, as "namespace/name".', { maxLength: 512 }),
    addresses: list(str('Address.', { maxLength: 64 }), 'What it has.', { ...ATOMIC, maxItems: 16 }),
    fate: oneOfStrings(
      ['moves', 'loses', 'unannounced', 'changes-owner'],
      'moves: it gets another address. loses: it gets none. unannounced: nobody announces it. changes-owner: another node does.',
    ),
    reason: str('Why.', TEXT),
  },
  'A live Service that something happens to.',
  { required: ['service', 'fate'] },
);

const step = object(
  {
    object: str('What changes, such as "IPAddressPool web".', { maxLength: 512 }),
    action: oneOfStrings(['create', 'update', 'delete'], 'What happens to it.'),
    path: str('Where its source says so: "pools.web".', TEXT),
    changes: list(str('One field.', TEXT), 'The first of the fields that change.', {
      ...ATOMIC,
      maxItems: PLAN_BOUNDS.changes,
    }),
    changeCount: int('How many fields change.', COUNT),
    state: oneOfStrings(
      ['Done', 'Ready', 'Held', 'Draining', 'Moving'],
      'Done: written. Ready: to be written. Held: waits for somebody to decide. Draining, Moving: waits for its last Service to leave.',
    ),
    because: str('Why it waits, or why it does not although it hurts.', TEXT),
    affected: list(
      str('"namespace/name".', { maxLength: 512 }),
      'The first of the Services that it concerns.',
      {
        ...ATOMIC,
        maxItems: PLAN_BOUNDS.affected,
      },
    ),
    affectedCount: int('How many Services it concerns.', COUNT),
  },
  'The change of one object.',
  { required: ['object', 'action', 'path', 'state'] },
);

const spec = object(
  {
    source: str('Name of the ConfigSource.', NAME),
    sourceDigest,
    digest,
    policy: oneOfStrings(CHANGE_POLICIES, 'What may happen to addresses in use where an entry does not say.'),
    summary,
    steps: list(step, 'The first of the steps, those that wait before the others.', {
      ...ATOMIC,
      maxItems: PLAN_BOUNDS.steps,
    }),
    stepCount: int('How many steps there are.', COUNT),
    waitingCount: int('How many of them are not done.', COUNT),
    affected: list(affected, 'The first of the Services that something happens to.', {
      ...ATOMIC,
      maxItems: PLAN_BOUNDS.affected,
    }),
    affectedCount: int('How many Services something happens to.', COUNT),
  },
  'What the source changes. The reconciler writes it; an approval is an annotation.',
  { required: ['source', 'digest', 'summary'] },
);

export const PLAN_STATES = ['Held', 'Draining', 'Moving', 'Applying', 'Applied'] as const;
export type PlanState = (typeof PLAN_STATES)[number];
const time = (about: string) => str(about, { format: 'date-time', maxLength: 32 });

const past = object(
  {
    digest,
    sourceDigest,
    summary,
    state: oneOfStrings(
      ['Applied', 'Withdrawn'],
      'Applied: carried out. Withdrawn: the source took it back, or replaced it, while it waited.',
    ),
    approvedBy: str(
      'Where an approval let it through: the field manager that set the annotation, such as "kubectl-annotate".',
      { maxLength: 256 },
    ),
    time: time('When it ended.'),
  },
  'A plan that has ended.',
  { required: ['summary', 'state', 'time'] },
);

const status = object(
  {
    observedGeneration,
    state: oneOfStrings(
      PLAN_STATES,
      'Held: a part waits for somebody to decide. Draining, Moving: a part waits for the last Service to leave. Applying: writes are outstanding. Applied: all is done.',
    ),
    since: time('When it came into this state.'),
    conditions: conditionList(
      'Ready, Reconciling and Stalled, as kstatus reads them; Approved, where there is an approval.',
      { maxItems: 16 },
    ),
    history: list(past, 'The plans before, the newest first.', { ...ATOMIC, maxItems: PLAN_BOUNDS.history }),
  },
  'How far the plan is.',
  { default: NOT_YET },
);

export const planCrd: Crd = {
  group: GROUP,
  kind: 'Plan',
  plural: 'plans',
  singular: 'plan',
  versions: [
    {
      name: 'v1alpha1',
      about:
        'What the latest change of a source does to live Services, and whether it waits. Named as its ConfigSource.',
      storage: true,
      columns: [
        { name: 'Change', type: 'string', path: '.spec.summary' },
        { name: 'Affected', type: 'integer', path: '.spec.affectedCount' },
        { name: 'State', type: 'string', path: '.status.state' },
        { name: 'Age', type: 'date', path: '.status.since' },
        { name: 'Digest', type: 'string', path: '.spec.digest', priority: 10 },
      ],
      spec,
      status,
      required: ['spec'],
    },
  ],
};

export type PlanSpec = TypeOf<typeof spec>;
export type PlanStep = TypeOf<typeof step>;
export type PlanStatus = TypeOf<typeof status>;
export type Plan = Custom<PlanSpec, PlanStatus>;
export const Plans: Kind<Plan> = customKind({ crd: planCrd, version: 'v1alpha1', spec, status });
