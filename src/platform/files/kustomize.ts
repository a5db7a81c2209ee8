/** What Kustomize makes of a folder: the tool itself builds, as nothing else would build the same. */
import { execFile } from 'node:child_process';

export type Build =
  /** The objects as a stream of YAML documents. */
  | { readonly text: string }
  /** missing: there is no kubectl. */
  | { readonly failed: string; readonly missing?: true };

/** Remote bases are fetched over the network. */
const PATIENCE_MS = 120_000;
const MAX_OUTPUT = 256 * 1024 * 1024;

/**
 * `kubectl kustomize FOLDER`, with files above the folder allowed, as Flux allows them. Never throws for what is wrong with the
 * folder: `failed` has the tool's words.
 */
export function kustomize(folder: string): Promise<Build> {
  const args = ['kustomize', '--load-restrictor=LoadRestrictionsNone', folder];
  const options = { timeout: PATIENCE_MS, maxBuffer: MAX_OUTPUT, encoding: 'utf8' } as const;
  return new Promise((resolve) => {
    execFile('kubectl', args, options, (error, stdout, stderr) => {
      if (!error) resolve({ text: stdout });
      else if (error.code === 'ENOENT') resolve({ failed: 'kubectl is not installed', missing: true });
      else if (error.killed) resolve({ failed: `kubectl took more than ${PATIENCE_MS / 1000} s` });
      else resolve({ failed: plain(stderr) || error.message });
    });
  });
}

/** The message without the program's own log line around it: `E1121 14:58:44 run.go:72] "command failed" err="..."`. */
function plain(stderr: string): string {
  const text = stderr.trim();
  const logged = /"command failed" err=("(?:[^"\\]|\\.)*")\s*$/.exec(text)?.[1];
  const unquoted: unknown = logged === undefined ? undefined : parsed(logged);
  return (typeof unquoted === 'string' ? unquoted : text).replace(/^error: /i, '');
}

/** A text in Go's quotes; undefined where they hold what JSON's do not. */
function parsed(quoted: string): unknown {
  try {
    return JSON.parse(quoted);
  } catch {
    return undefined;
  }
}
