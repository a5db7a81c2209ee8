import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** Every relative link of a Markdown text: `[text](target)` without a scheme, its anchor cut off. */
const links = (text: string): string[] =>
  [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g)].map((m) => m[1] ?? '');

const pages = ['README.md', ...globSync('{docs,src,chart,flux,overlays,test}/**/*.md')];

test.each(pages)('every relative link of %s leads somewhere', (page) => {
  const missing = links(readFileSync(page, 'utf8')).filter((l) => !existsSync(join(dirname(page), l)));
  expect(missing).toEqual([]);
});

test('the trace has its fourteen stops in order, and each names a place in the code', () => {
  const rows = readFileSync('docs/trace.md', 'utf8').match(/^\| \d+ \|.*$/gm) ?? [];
  expect(rows.map((r) => Number(r.split('|')[1]))).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
  for (const row of rows) expect(links(row.split('|')[2] ?? ''), row).not.toEqual([]);
});

test('each room of the map has a page of at most twenty lines, and the map names each room', () => {
  const map = readFileSync('docs/map.md', 'utf8');
  for (const room of globSync('src/{domain,protocols,platform,programs}/*/')) {
    const page = join(room, 'README.md');
    expect(existsSync(page), page).toBe(true);
    expect(readFileSync(page, 'utf8').trimEnd().split('\n').length, page).toBeLessThanOrEqual(20);
    expect(map, room).toContain(`${room.split('/').at(-1)}/`);
  }
});
