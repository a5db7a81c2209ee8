import { problemText } from '../../../domain/api/problem.ts';
import type { SourceChange } from '../../../domain/change/model.ts';
import type { Planned } from './plan.ts';
import { affectedLines, verdictOf } from './text.ts';

const ACTION = { create: 'create', update: 'update', delete: '**delete**' } as const;

/** The plan as a comment on a pull request. */
export function asMarkdown(planned: Planned): string {
  const { counts, changes, problems } = planned;
  const title =
    problems.length > 0 && changes.length === 0
      ? 'refused'
      : counts.held > 0
        ? `${counts.held} held`
        : changes.length === 0
          ? 'no change'
          : 'safe';
  const lines = [`### Herald plan: ${title}`, ''];
  if (problems.length > 0)
    lines.push(...problems.map((p) => `- \`${p.severity ?? 'error'}\` ${inert(problemText(p))}`), '');
  for (const change of changes) lines.push(...tableOf(change), '');
  lines.push(...planned.remarks.map(inert), ...verdictOf(planned).map(inert));
  return lines.join('\n');
}

function tableOf({ source, steps }: SourceChange): string[] {
  const rows = steps.map(({ object, action, changes, state, because }) => {
    const note = because === undefined ? state : `${state}: ${because}`;
    return `| ${[ACTION[action], `\`${object}\``, changes.map(inert).join('<br>'), inert(note)].join(' | ')} |`;
  });
  const hurt = steps.flatMap((s) => affectedLines(s.affected).map((l) => `- ${inert(l)}`));
  return [
    `Source \`${source}\``,
    '',
    '| | object | change | state |',
    '|---|---|---|---|',
    ...rows,
    ...(hurt.length > 0 ? ['', 'Services:', '', ...hurt] : []),
  ];
}

/** Text that cannot break out of a table or become a mention, a link or HTML. */
function inert(text: string): string {
  return text
    .replace(/[\\`*_[\]|<>]/g, '\\$&')
    .replace(/@/g, '&#64;')
    .replace(/\r?\n/g, ' ');
}
