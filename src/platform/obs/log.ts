/** One JSON object per line. The call shape is pino's, `log.info(fields, msg)`, so that pino can replace it. */
import { inspect } from 'node:util';
import type { Clock } from './clock.ts';

export type Level = 'all' | 'debug' | 'info' | 'warn' | 'error' | 'none';

/** `op` names the operation; an Error may stand under any name and is printed as its text with its causes. */
export type Fields = Readonly<Record<string, unknown>>;

/** Messages are constant, what varies goes into fields. No method throws, whatever the fields hold. */
export interface Log {
  debug(fields: Fields, msg: string): void;
  info(fields: Fields, msg: string): void;
  warn(fields: Fields, msg: string): void;
  error(fields: Fields, msg: string): void;
  /** The same log with these fields on every line. */
  child(fields: Fields): Log;
  /** Takes effect for this log, its parents and all its children. */
  setLevel(level: Level): void;
}

const RANK: Readonly<Record<Level, number>> = { all: 0, debug: 0, info: 1, warn: 2, error: 3, none: 4 };

/** Fields of these names are never printed: a last fence, the first one being not to log them. */
const HIDDEN = /^(password|token|authorization|data|stringData|secretData)$/i;

/** The text of any thrown thing, with its causes: `outer: middle: inner`. */
export function errorText(e: unknown): string {
  const parts: string[] = [];
  let rest: unknown = e;
  // A cycle of causes must end somewhere; nobody nests deeper than this on purpose.
  for (let depth = 0; rest !== undefined && depth < 8; depth++) {
    if (!(rest instanceof Error)) {
      parts.push(typeof rest === 'string' ? rest : inspect(rest, { depth: 1, breakLength: Infinity }));
      break;
    }
    parts.push(rest.message === '' ? rest.name : rest.message);
    rest = rest.cause;
  }
  return parts.filter((p, i) => i === 0 || !parts[i - 1]?.includes(p)).join(': ');
}

function printable(key: string, value: unknown): unknown {
  if (HIDDEN.test(key)) return '[hidden]';
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return errorText(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

function line(head: Fields, fields: Fields): string {
  try {
    return JSON.stringify({ ...head, ...fields }, printable);
  } catch {
    // A circular value or a throwing getter: the line still comes, without its fields.
    return JSON.stringify({ ...head, fields: 'unprintable' });
  }
}

/** Lines of this turn of the loop, for stdout. */
let waiting = '';
/** More are written at once: what a pipe does not take in one go would be lost at the end of the process. */
const MOST = 16_384;
/** Whether the end of the process is listened for. */
let listening = false;

function flush(): void {
  const text = waiting;
  waiting = '';
  if (text !== '') process.stdout.write(text);
}

/**
 * A thousand addresses that move are two thousand lines, and a system call for each takes longer than all else that is done for
 * them. What waits still leaves when the process ends, by an error or not.
 */
function toStdout(text: string): void {
  if (waiting === '') setImmediate(flush);
  waiting += `${text}\n`;
  if (waiting.length > MOST) flush();
  if (!listening) process.once('exit', flush);
  listening = true;
}

/** Lines go to stdout unless `write` is given (with the line, without its newline). */
export function createLog(o: {
  level: Level;
  fields?: Fields;
  write?: (line: string) => void;
  clock: Clock;
}): Log {
  const shared = { rank: RANK[o.level] };
  const write = o.write ?? toStdout;

  const make = (own: Fields): Log => {
    const emit = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: Fields, msg: string) => {
      if (RANK[level] < shared.rank) return;
      // ts, level, msg, op first: the eye finds them at the same place on each line.
      const head = { ts: o.clock.date().toISOString(), level, msg, op: undefined };
      try {
        write(line(head, { ...own, ...fields }));
      } catch {
        // Nothing is left to tell it to.
      }
    };
    return {
      debug: emit('debug'),
      info: emit('info'),
      warn: emit('warn'),
      error: emit('error'),
      child: (fields) => make({ ...own, ...fields }),
      setLevel: (level) => {
        shared.rank = RANK[level];
      },
    };
  };
  return make(o.fields ?? {});
}
