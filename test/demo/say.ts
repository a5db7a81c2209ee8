/** How the demo talks: headings, plain lines, and hops with their times. */
import { styleText } from 'node:util';

export const title = (text: string): void => console.log(`\n${styleText('bold', text)}`);
export const say = (text: string): void => console.log(text.replace(/^/gm, '  '));

/** One hop of the path: what happened, and how long after the start and after the hop before (milliseconds). */
export interface Hop {
  readonly what: string;
  readonly at: number;
}

/** Prints hops as a table of times since `start`. */
export function sayHops(start: number, hops: readonly Hop[]): void {
  let before = start;
  for (const hop of hops.toSorted((a, b) => a.at - b.at)) {
    const ms = (value: number) => `${Math.round(value)}`.padStart(6);
    say(
      `${ms(hop.at - start)} ms  ${styleText('dim', `+${ms(hop.at - before).trim()}`.padStart(7))}  ${hop.what}`,
    );
    before = hop.at;
  }
}
