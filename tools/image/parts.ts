/** What goes into the image: Debian's libraries, Node, koffi, the bundle. Each part lists its files with their bytes. */
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { run } from '../run.ts';
import type { Entry } from '../servers/tar.ts';
import pins from './packages.json' with { type: 'json' };

/** A fault that the user can mend; printed without a stack. */
export class Mend extends Error {}

type Pin = { readonly version: string; readonly sha256: string; readonly files: readonly string[] };

async function must(command: string, args: readonly string[], mend: string): Promise<void> {
  const done = await run(command, args);
  if (done.code !== 0) throw new Mend(`${command} ${args.join(' ')} failed: ${mend}\n${done.output.trim()}`);
}

/** The release that the pinned packages are of. */
const DEBIAN = 12;

/** The packages that are pinned for an architecture of Node's name (x64, arm64). */
export function pinned(arch: string): ReadonlyMap<string, Pin> {
  const found = Object.entries(pins).find(([name]) => name === arch)?.[1] ?? {};
  const map = new Map<string, Pin>(Object.entries(found));
  if (map.size === 0)
    throw new Mend(
      `no Debian packages are pinned for ${arch}: add their versions and sums to tools/image/packages.json`,
    );
  return map;
}

/** What this machine's apt offers of a package, as the line for packages.json; undefined when it knows none. */
async function offered(name: string): Promise<string | undefined> {
  const { code, output } = await run('apt-cache', ['show', '--no-all-versions', name]);
  const field = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(output)?.[1];
  const [version, sha256] = [field('Version'), field('SHA256')];
  return code === 0 && version && sha256 ? `"version": "${version}", "sha256": "${sha256}"` : undefined;
}

/** Downloads one pinned package by the machine's own apt, checks its sum and takes the listed files out of it. */
async function unpack(name: string, pin: Pin, dir: string): Promise<Entry[]> {
  const found = await run('sh', [
    '-c',
    'cd "$0" && apt-get download -qq "$1"',
    dir,
    `${name}=${pin.version}`,
  ]);
  const deb = globSync(join(dir, `${name}_*.deb`))[0];
  const sum = deb === undefined ? undefined : createHash('sha256').update(readFileSync(deb)).digest('hex');
  if (found.code !== 0 || deb === undefined || sum !== pin.sha256) {
    const wrong = sum === undefined ? found.output.trim() : `its sum is ${sum}, not the pinned ${pin.sha256}`;
    const line = await offered(name);
    const mend =
      line === undefined
        ? `this needs Debian's apt with package lists: run "apt-get update"`
        : `run "apt-get update"; if that does not help, write for "${name}" in tools/image/packages.json\n  ${line}`;
    throw new Mend(`${name} ${pin.version} cannot be had: ${wrong}\n${mend}`);
  }
  await must('dpkg-deb', ['-x', deb, dir], 'the package is damaged; remove it and try again');
  const about = await run('dpkg-deb', ['--field', deb]);
  return [
    ...pin.files.map((path) => ({
      path,
      // A package's links lead to versioned names, and one of them to an absolute path; the image holds the file itself.
      data: readFileSync(resolveInside(dir, path)),
      mode: path.includes('/doc/') ? 0o644 : 0o755,
    })),
    // Where scanners for known faults look in images without dpkg.
    text(`var/lib/dpkg/status.d/${name}`, about.output),
  ];
}

const text = (path: string, lines: string): Entry => ({ path, mode: 0o644, data: Buffer.from(lines) });

function resolveInside(dir: string, path: string): string {
  const loader = /^lib64\/(ld-linux.*)$/.exec(path)?.[1];
  if (loader === undefined) return realpathSync(join(dir, path));
  return globSync(join(dir, 'lib/*', loader))[0] ?? join(dir, path);
}

/** The C and C++ libraries that Node links to, and what a resolver needs to find names. */
export async function libraries(arch: string): Promise<Entry[]> {
  const dir = mkdtempSync(join(tmpdir(), 'herald-image-'));
  try {
    const files: Entry[] = [];
    for (const [name, pin] of pinned(arch)) files.push(...(await unpack(name, pin, dir)));
    return [
      ...files,
      text('etc/os-release', `ID=debian\nVERSION_ID="${DEBIAN}"\n`),
      text('etc/nsswitch.conf', 'hosts: files dns\n'),
      text('etc/passwd', 'root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n'),
      text('etc/group', 'root:x:0:\nnobody:x:65534:\n'),
      { path: 'tmp', mode: 0o1777 },
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The runtime, without its symbols. */
export async function node(arch: string): Promise<Entry[]> {
  const dir = mkdtempSync(join(tmpdir(), 'herald-image-'));
  const stripped = join(dir, 'node');
  try {
    await must(
      'strip',
      ['-o', stripped, join('node_modules', `node-linux-${arch}`, 'bin/node')],
      'install binutils',
    );
    return [{ path: 'usr/bin/node', mode: 0o755, data: readFileSync(stripped) }];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const file = (path: string, from = join('node_modules', path)): Entry => ({
  path: `app/node_modules/${path}`,
  mode: 0o644,
  data: readFileSync(from),
});

/** koffi as `require` reads it, without its sources, documents and the builds for other systems. */
export function koffi(arch: string): Entry[] {
  const native = `@koromix/koffi-linux-${arch}`;
  return [
    ...['package.json', 'index.cjs', 'LICENSE.txt', 'src/koffi/index.cjs', 'src/koffi/src/static.cjs'].map(
      (f) => file(`koffi/${f}`),
    ),
    ...['package.json', 'index.js', `linux_${arch}/koffi.node`].map((f) => file(`${native}/${f}`)),
  ];
}

/**
 * By default V8 takes memory by what the machine has: 128 MiB of young objects, a heap that quadruples before it is cleaned, and
 * glibc keeps a pool per thread. A process that mostly waits needs none of that. The limit is for a heap of some 150,000 Services.
 */
export const environment: Readonly<Record<string, string>> = {
  NODE_ENV: 'production',
  NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=1024',
  MALLOC_ARENA_MAX: '2',
  // glibc's own start value; named, it stays, and the text of a long list goes back to the system.
  MALLOC_MMAP_THRESHOLD_: '131072',
};

const CLIENT = '@kubernetes/client-node';

/**
 * client-node brings a client for every API there is; only its reading of kubeconfig files is used. It does not say that its
 * modules can be left out where nothing of them is: 20 MiB of memory in each process.
 */
const withoutUnused: Plugin = {
  name: 'without-unused',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$|^\.\.?\// }, async ({ pluginData, path, ...from }) => {
      if (pluginData === CLIENT || !(path === CLIENT || from.importer.includes(`/${CLIENT}/`))) return;
      const { importer, resolveDir, kind } = from;
      return {
        ...(await resolve(path, { importer, resolveDir, kind, pluginData: CLIENT })),
        sideEffects: false,
      };
    });
  },
};

/**
 * Node's own modules, by a door that leaves them as they are. An import statement reads each of a module's exports, and some of them
 * load more: node:http brings a second HTTP client, node:crypto the web's whole cryptography. koffi has such imports.
 */
const required: Plugin = {
  name: 'required',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ path, kind }) =>
      kind === 'import-statement' && (isBuiltin(path) || path === 'koffi')
        ? { path, namespace: 'required' }
        : undefined,
    );
    onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }));
  },
};

/** Of undici's index all that is used here and by client-node; the rest is most of it: fetch, caches, sockets of the web. */
const UNDICI = `
const Dispatcher = require('./lib/dispatcher/dispatcher');
Object.assign(Dispatcher.prototype, require('./lib/api'));
exports.Agent = require('./lib/dispatcher/agent');
exports.Client = require('./lib/dispatcher/client');
exports.Pool = require('./lib/dispatcher/pool');
exports.ProxyAgent = require('./lib/dispatcher/proxy-agent');
exports.buildConnector = require('./lib/core/connect');
`;

const smallUndici: Plugin = {
  name: 'small-undici',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'undici' }));
    onLoad({ filter: /./, namespace: 'undici' }, () => ({
      contents: UNDICI,
      resolveDir: resolve('node_modules/undici'),
    }));
  },
};

/** The programs, each with what it shares in chunks of their own. */
export async function programs(): Promise<Entry[]> {
  const result = await build({
    entryPoints: globSync('src/bin/{reconciler,controller,speaker,herald}.ts'),
    bundle: true,
    splitting: true,
    write: false,
    outdir: 'app',
    absWorkingDir: process.cwd(),
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['koffi'],
    plugins: [withoutUnused, required, smallUndici],
    legalComments: 'none',
    // V8 keeps the text, and with two bytes for each letter when one of them is beyond Latin: nearly all such are in comments.
    minifyWhitespace: true,
    lineLimit: 200,
    chunkNames: 'chunks/[name]-[hash]',
    // Packages in the older module form call require() for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
    },
    logLevel: 'silent',
  });
  const root = dirname(join(process.cwd(), 'x'));
  return [
    { path: 'app/package.json', mode: 0o644, data: Buffer.from('{"type":"module"}\n') },
    { path: 'app/LICENSE', mode: 0o644, data: readFileSync('LICENSE') },
    ...result.outputFiles.map((f) => ({
      path: f.path.slice(root.length + 1),
      mode: 0o644,
      data: f.contents,
    })),
  ];
}
