import { expect, test } from 'vitest';
import type { Question } from './client.ts';
import { ownership, prompt } from './ownership.ts';

/** A letter each 5 ms: who answered; "." nobody, "2" both a and b. */
const asked = (who: string): readonly Question[] =>
  who.split('').map((c, i) => ({
    ip: '192.0.2.1',
    at: 5 * i,
    answers: (c === '.' ? [] : c === '2' ? ['a', 'b'] : [c]).map((mac) => ({ mac, after: 1 })),
  }));

test.each([
  ['', { without: 0, twice: 0, moves: 0, asked: 0, unanswered: 0, last: undefined }],
  ['aaaa', { without: 0, twice: 0, moves: 0, asked: 4, unanswered: 0, last: 'a' }],
  ['aa..bb', { without: 10, twice: 0, moves: 1, asked: 6, unanswered: 2, last: 'b' }],
  ['a.b...a', { without: 15, twice: 0, moves: 2, asked: 7, unanswered: 4, last: 'a' }],
  ['aa222b', { without: 0, twice: 15, moves: 1, asked: 6, unanswered: 0, last: 'b' }],
  ['a2a22', { without: 0, twice: 10, moves: 0, asked: 5, unanswered: 0, last: 'b' }],
  ['aa..', { without: 5, twice: 0, moves: 0, asked: 4, unanswered: 2, last: 'a' }],
])('%j', (who, wanted) => expect(ownership(asked(who))).toEqual(wanted));

test('an answer that came too late is none', () => {
  const answers = [10, 100, 101].map((after) => ({ mac: `m${after}`, after }));
  const [seen] = prompt([{ ip: '192.0.2.1', at: 0, answers }]);
  expect(seen?.answers.map(({ mac }) => mac)).toEqual(['m10', 'm100']);
});
