import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** Levels in upstream's words; `all` is debug and everything below it, `none` is silence. */
export const levels = ['all', 'debug', 'info', 'warn', 'error', 'none'] as const;

/** Options that every long-running program takes, with upstream's names and defaults. */
export interface CommonFlags {
  /** Where Herald's own objects live. */
  readonly namespace: string;
  /** Path or colon-separated paths; absent: the pod's own service account. */
  readonly kubeconfig?: string;
  readonly logLevel: (typeof levels)[number];
  /** Metrics over plain HTTP; 0: off. */
  readonly port: number;
  /** /healthz and /readyz. */
  readonly healthProbePort: number;
}

/** Exit codes: 0 ended when asked to, 1 failed, 2 called wrongly. */
export const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** Commander's parser for a TCP port; throws what Commander prints as a usage error. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError('Not a port (0 to 65535).');
  return port;
}

/** Commander's parser for a count of at least 1. */
export function positive(text: string): number {
  const count = natural(text);
  if (count < 1) throw new InvalidArgumentError('Not a positive whole number.');
  return count;
}

/** Commander's parser for a count. */
export function natural(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count))
    throw new InvalidArgumentError('Not a whole number.');
  return count;
}

/** Commander's parser for Go's boolean flags: `--flag`, `--flag=true`, `--flag=false`. */
export function goBoolean(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new InvalidArgumentError('Neither true nor false.');
}

/** A command with the common options; each program adds its own with `.addOption`. */
export function program(name: string, about: string): Command {
  return new Command(name)
    .description(about)
    .exitOverride()
    .allowExcessArguments(false)
    .addOption(
      new Option('--namespace <name>', "namespace of Herald's own objects")
        .env('METALLB_NAMESPACE')
        .default('metallb-system'),
    )
    .addOption(
      new Option(
        '--kubeconfig <path>',
        "API server and credentials (default: the pod's service account)",
      ).env('KUBECONFIG'),
    )
    .addOption(new Option('--log-level <level>', 'what to log').choices(levels).default('info'))
    .addOption(
      new Option('--port <port>', 'metrics over plain HTTP, 0: off').argParser(portNumber).default(9120),
    )
    .addOption(
      new Option('--health-probe-port <port>', '/healthz and /readyz').argParser(portNumber).default(17472),
    );
}

/**
 * Options of upstream that have no meaning here, so that its manifests start Herald unchanged. They stay out
 * of the help; `ignored` tells which of them were given.
 */
export function ignoring(command: Command, names: readonly string[]): Command {
  for (const name of names) command.addOption(new Option(`--${name} [value]`).hideHelp());
  return command;
}

/** The names out of `names` that stand on the command line. */
export function ignored(command: Command, names: readonly string[]): readonly string[] {
  const camel = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return names.filter((name) => command.getOptionValueSource(camel(name)) === 'cli');
}

/** Go's flag package takes one dash as well as two; Commander would read `-port` as `-p -o -r -t`. */
export function goDashes(args: readonly string[]): string[] {
  return args.map((arg) => (/^-[a-z][a-z0-9-]+(=|$)/.test(arg) ? `-${arg}` : arg));
}

/**
 * Reads the command line into the flags of `command`, with `T` naming what its options produce.
 * Ends the process for --help (0) and for a wrong call (2, reason on stderr).
 */
export function readFlags<T extends CommonFlags>(
  command: Command,
  argv: readonly string[] = process.argv,
): T {
  try {
    return command.parse(goDashes(argv.slice(2)), { from: 'user' }).opts<T & Record<string, unknown>>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exit(error.exitCode === 0 ? exitCode.ok : exitCode.usage);
  }
}

/**
 * Runs a program until it returns or SIGTERM or SIGINT aborts the signal it was given; then ends the process.
 * A second signal ends it at once. What the program throws is printed and makes the exit code 1, unless it was
 * told to stop and the error only says so.
 */
export async function execute(body: (signal: AbortSignal) => Promise<void>): Promise<never> {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(exitCode.failed);
    stop.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    await body(stop.signal);
  } catch (error) {
    const stopped = stop.signal.aborted && error instanceof Error && error.name === 'AbortError';
    if (!stopped) {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(exitCode.failed);
    }
  }
  process.exit(exitCode.ok);
}
