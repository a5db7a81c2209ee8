/** A git repository behind smart HTTP, as Flux wants it: go-git speaks neither dumb HTTP nor file URLs there. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { MARK } from './clean.ts';
import { must } from './exec.ts';

/** Path below the repository's root to content; null removes the file. */
export type Files = Readonly<Record<string, string | Uint8Array | null>>;

export interface GitServer {
  /** What a GitRepository's spec.url says; pushes work there too. */
  readonly url: string;
  /** A clone of branch main, where push() commits; for a look, or for `git` by hand. */
  readonly clone: string;
  /** Commits these files on top of main and pushes; the commit's id. A push of nothing new makes an empty commit. */
  push(files: Files, message: string): Promise<string>;
  /** While cut, every request ends without an answer, as with a server that died. */
  cut(on: boolean): void;
  close(): Promise<void>;
}

/** No configuration of the user's or the machine's may change what git does here. */
const GIT_ENV = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'lab',
  GIT_AUTHOR_EMAIL: 'lab@localhost',
  GIT_COMMITTER_NAME: 'lab',
  GIT_COMMITTER_EMAIL: 'lab@localhost',
};

const CGI_HEADERS = {
  'content-length': 'CONTENT_LENGTH',
  'content-encoding': 'HTTP_CONTENT_ENCODING',
  'git-protocol': 'GIT_PROTOCOL',
} as const;

/** Hands one request to `git http-backend` by CGI (RFC 3875) and its answer back. */
function serve(o: { root: string; mark: string }, asked: IncomingMessage, reply: ServerResponse): void {
  const url = new URL(asked.url ?? '/', 'http://lab');
  const env: NodeJS.ProcessEnv = {
    ...GIT_ENV,
    PATH: process.env.PATH,
    [MARK]: o.mark,
    GIT_PROJECT_ROOT: o.root,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: asked.method ?? 'GET',
    PATH_INFO: url.pathname,
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: asked.headers['content-type'] ?? '',
    REMOTE_USER: 'lab',
  };
  for (const [header, variable] of Object.entries(CGI_HEADERS)) {
    const value = asked.headers[header];
    if (typeof value === 'string') env[variable] = value;
  }
  const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  backend.on('error', () => reply.destroy());
  // Either side may go away first.
  backend.stdin.on('error', () => {});
  asked.pipe(backend.stdin);
  let head = Buffer.alloc(0);
  const onHead = (data: Buffer) => {
    head = Buffer.concat([head, data]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    backend.stdout.off('data', onHead);
    for (const line of head.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(': ');
      if (name === 'Status') reply.statusCode = Number.parseInt(value, 10);
      else reply.setHeader(name, value);
    }
    reply.write(head.subarray(end + 4));
    backend.stdout.pipe(reply);
  };
  backend.stdout.on('data', onHead);
  backend.on('close', () => reply.end());
}

/** Writes files into a folder, or removes them. */
function write(dir: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const to = join(dir, path);
    if (content === null) {
      rmSync(to, { force: true, recursive: true });
      continue;
    }
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, content);
  }
}

/** All files below a folder, under their path from there with `prefix` before it: `readTree('chart', 'chart/')`. */
export function readTree(dir: string, prefix = ''): Record<string, Uint8Array> {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter((path) => statSync(join(dir, path)).isFile());
  return Object.fromEntries(files.map((path) => [prefix + path, readFileSync(join(dir, path))]));
}

/**
 * Makes the bare repository `<dir>/git/fleet.git` with branch main and a first, empty commit, and serves it on a free port
 * of `host`. `mark` is the run's folder, so that its clean-up finds the processes that answer.
 */
export async function startGit(o: { dir: string; host: string; mark: string }): Promise<GitServer> {
  const root = join(o.dir, 'git');
  const bare = join(root, 'fleet.git');
  const clone = join(o.dir, 'clone');
  mkdirSync(root, { recursive: true });
  const git = (...args: string[]) => must('git', args, { env: GIT_ENV });
  await git('init', '-q', '--bare', '--initial-branch=main', bare);
  await git('-C', bare, 'config', 'http.receivepack', 'true');
  let dead = false;
  const server = createServer((asked, reply) => {
    if (dead) reply.destroy();
    else serve({ root, mark: o.mark }, asked, reply);
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, o.host, () => {
      const at = server.address();
      resolve(at !== null && typeof at === 'object' ? at.port : 0);
    });
  });
  const url = `http://${o.host}:${port}/fleet.git`;
  await git('clone', '-q', url, clone);
  const push = async (files: Files, message: string): Promise<string> => {
    write(clone, files);
    await git('-C', clone, 'add', '--all', '--force');
    await git('-C', clone, 'commit', '-q', '--allow-empty', '-m', message);
    await git('-C', clone, 'push', '-q', 'origin', 'HEAD:main');
    return (await git('-C', clone, 'rev-parse', 'HEAD')).trim();
  };
  await git('-C', clone, 'checkout', '-q', '-B', 'main');
  await push({}, 'begin');
  return {
    url,
    clone,
    push,
    cut: (on) => {
      dead = on;
      if (on) server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        // A server that is closed already has nothing to wait for.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
