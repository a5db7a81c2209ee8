import type { PoolLine, Why } from './why.ts';

const ROUNDS: Readonly<Record<PoolLine['round'], string>> = {
  asked: 'asked for',
  reserved: 'reserved',
  meant: 'meant for it',
  open: 'open to all',
  none: '-',
};

/** The decision for a terminal. */
export function asText(o: Why): string {
  const what =
    o.state === 'Allocated' ? o.addresses.join(', ') : o.state === 'Waiting' ? 'no address' : 'not served';
  const lines = [`${o.service}: ${what}`, `  ${o.because}`];
  if (o.condition) lines.push(`  condition ${o.condition.reason}, since ${o.condition.since}`);
  if (o.pools.length > 0) lines.push('', 'Pools, in the order in which they are looked at:');
  lines.push(...columns(o.pools.map((line) => [line.pool, ROUNDS[line.round], poolText(line)])));
  if (o.reservations.length > 0) lines.push('', 'Reservations:', ...columns(o.reservations.map(named)));
  if (o.quotas.length > 0) lines.push('', 'Quotas:', ...columns(o.quotas.map(named)));
  if (o.quarantined.length > 0)
    lines.push('', 'Kept back, as they are in use elsewhere:', ...columns(o.quarantined.map(named)));
  lines.push(...announcingLines(o));
  const { conflicts, losses, events } = o.said;
  if (conflicts.length > 0)
    lines.push('', 'Two owners:', ...columns(conflicts.map(({ node, text }) => [node, text])));
  if (losses.length > 0)
    lines.push('', 'Lost interfaces:', ...columns(losses.map(({ node, text }) => [node, text])));
  if (events.length > 0)
    lines.push('', 'Speakers said:', ...columns(events.map((e) => [e.at, e.reason, e.message])));
  if (o.remarks.length > 0) lines.push('', ...o.remarks);
  return lines.join('\n');
}

const named = ({ name, text }: { readonly name: string; readonly text: string }) => [name, text];

function poolText({ has, offers, message = '' }: PoolLine): string {
  const now = offers.length > 0 ? `would give ${offers.join(', ')}` : message;
  return has.length === 0
    ? now
    : has.join() === offers.join()
      ? `has ${has.join(', ')}`
      : `has ${has.join(', ')}; asked anew: ${now}`;
}

function announcingLines({ announcing }: Why): string[] {
  if (!announcing) return [];
  const { owner, because, others, reported, difference } = announcing;
  const said = reported.map(({ node, interfaces }) =>
    interfaces.length > 0 ? `${node} (${interfaces.join(', ')})` : node,
  );
  const elected = owner === undefined ? `nobody: ${because}` : `${owner}: ${because}`;
  const agreed = said.length > 0 && owner !== undefined ? `${said.join(', ')}: ${because}` : elected;
  const lines =
    difference === undefined
      ? ['', `Announced by ${agreed}`]
      : [
          '',
          `Announced by ${said.length > 0 ? said.join(', ') : 'nobody'}, as speakers say`,
          `  ${difference}`,
          `Elected ${elected}`,
        ];
  lines.push(...columns(others.map(({ node, why }) => [node, why])));
  return lines;
}

/** Indented, the columns as wide as their widest entry. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) => {
    const last = row.length - 1;
    const cells = row.map((cell, i) => (i === last ? cell : cell.padEnd(width(i) + 2)));
    return `  ${cells.join('')}`;
  });
}
