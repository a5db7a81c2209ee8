import { problemText } from '../../../domain/api/problem.ts';
import type { Affected, Fate, SourceChange, Step } from '../../../domain/change/model.ts';
import { summaryOf, summaryText } from '../../../domain/change/summary.ts';
import type { Planned } from './plan.ts';

/** Signs of a plan as people know them from other tools. */
const SIGN: Readonly<Record<Step['action'], string>> = { create: '+', update: '~', delete: '-' };

const FATE: Readonly<Record<Fate, string>> = {
  moves: 'gets another address',
  loses: 'loses its address',
  unannounced: 'is no longer announced',
  'changes-owner': 'is announced by another node',
};

/** Services that are named of one step; the rest is counted. JSON and YAML have all of them. */
const NAMED = 10;

/** The plan for a terminal. */
export function asText(planned: Planned): string {
  const lines = planned.problems.map((p) => `${p.severity ?? 'error'}: ${problemText(p)}`);
  if (lines.length > 0) lines.push('');
  for (const change of planned.changes) lines.push(...ofSource(change), '');
  lines.push(...planned.remarks, ...verdictOf(planned));
  return lines.join('\n');
}

function ofSource(change: SourceChange): string[] {
  const lines = [`Source ${change.source}:`, ''];
  for (const step of change.steps) lines.push(...ofStep(step));
  return lines;
}

function ofStep(step: Step): string[] {
  const state = step.state === 'ready' ? '' : `  [${step.state}]`;
  const because = step.because === undefined ? '' : ` ${step.because}`;
  return [
    `  ${SIGN[step.action]} ${step.object}  (${step.path})${state}${because}`,
    ...step.changes.map((c) => `      ${c}`),
    ...affectedLines(step.affected).map((l) => `      ! ${l}`),
  ];
}

/** "shop/web (192.0.2.5) loses its address: ..." for the first few, and how many more there are. */
export function affectedLines(affected: readonly Affected[]): string[] {
  const named = affected
    .slice(0, NAMED)
    .map((a) => `${a.service} (${a.addresses.join(', ')}) ${FATE[a.fate]}: ${a.reason}`);
  const more = affected.length - named.length;
  return more > 0 ? [...named, `and ${more} more`] : named;
}

/** The closing lines: what happens now, what waits, and the ways on. */
export function verdictOf({ changes, counts, affected }: Planned): string[] {
  if (changes.length === 0) return ['No change: the cluster holds what the sources say.'];
  const { create, update, delete: remove, held, waiting } = counts;
  const all = summaryText(
    summaryOf(
      changes.flatMap((c) => c.steps),
      affected,
    ),
  );
  const lines = [
    `All in all: ${all}.`,
    `Now: ${create} to create, ${update} to update, ${remove} to delete.`,
  ];
  if (waiting > 0) lines.push(`Waiting: ${waiting} until the last Service has left (drain, move).`);
  if (held === 0) return lines;
  lines.push(
    `Held: ${held}, as Services would lose what they have. The rest is carried out. Ways on, for each source:`,
  );
  for (const { source, digest, steps } of changes.filter((c) => c.steps.some((s) => s.state === 'held'))) {
    lines.push(`  ${source}: ${steps.filter((s) => s.state === 'held').length} held, ${digest.slice(0, 19)}`);
  }
  lines.push(
    '  - take the change back, or let the Services leave: it then goes on by itself;',
    '  - say drain, move or force: change.policy for the source, onChange for one entry;',
    '  - after the commit, approve this one plan: herald approve SOURCE --digest DIGEST',
  );
  return lines;
}
