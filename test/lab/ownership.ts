import type { Question } from './client.ts';

/** Who had an address during a test, as a client saw it. All times in milliseconds. */
export interface Ownership {
  /** The longest time from a question that nobody answered to the next one that somebody did. */
  readonly without: number;
  /** Time in which two answered the same questions. */
  readonly twice: number;
  /** How often the only one who answered became another. */
  readonly moves: number;
  readonly asked: number;
  readonly unanswered: number;
  /** Who answered last. */
  readonly last: string | undefined;
}

/**
 * Without the answers that took longer than this: a process that stood still answers old questions when it goes on, and a client
 * that waited for them had no answer in between.
 */
export function prompt(questions: readonly Question[], withinMs = 100): readonly Question[] {
  return questions.map((question) => ({
    ...question,
    answers: question.answers.filter(({ after }) => after <= withinMs),
  }));
}

/** Reads it from the questions about one address, in the order in which they were asked. */
export function ownership(questions: readonly Question[]): Ownership {
  let [without, twice, moves, unanswered] = [0, 0, 0, 0];
  let silentSince: number | undefined;
  let twiceSince: number | undefined;
  let owner: string | undefined;
  let last: string | undefined;
  for (const { at, answers } of questions) {
    const macs = new Set(answers.map(({ mac }) => mac));
    if (macs.size === 0) {
      unanswered++;
      silentSince ??= at;
    } else if (silentSince !== undefined) {
      without = Math.max(without, at - silentSince);
      silentSince = undefined;
    }
    if (macs.size > 1) twiceSince ??= at;
    else if (twiceSince !== undefined) {
      twice += at - twiceSince;
      twiceSince = undefined;
    }
    const [mac] = macs;
    if (macs.size === 1) {
      if (owner !== undefined && mac !== owner) moves++;
      owner = mac;
    }
    last = [...macs].at(-1) ?? last;
  }
  const end = questions.at(-1)?.at ?? 0;
  if (silentSince !== undefined) without = Math.max(without, end - silentSince);
  if (twiceSince !== undefined) twice += end - twiceSince;
  return { without, twice, moves, asked: questions.length, unanswered, last };
}
