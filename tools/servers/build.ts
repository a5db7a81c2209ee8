/**
 * `make tools`: builds the real servers that tests and the demo run against, from pinned Go modules, into a cache that
 * outlives the clone. Usage: build.ts [group...]; without a group, all.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run, seconds } from '../run.ts';
import {
  type Artifact,
  GROUPS,
  type Group,
  groupDir,
  IMAGES,
  missingPackages,
  moduleDir,
  toolPath,
} from './manifest.ts';
import { imageArchive } from './tar.ts';

export { missingTools, toolPath } from './manifest.ts';

/** Environment of every Go command: static programs that owe nothing to the machine's C library or its checkout. */
const GO_ENV = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' };

/** A fault that the user can mend; printed without a stack. */
class Mend extends Error {}

/** Throws unless the installed Go is as new as the group's go.mod asks. */
async function checkGo(group: Group): Promise<void> {
  const wanted = /^go (\S+)/m.exec(readFileSync(join(moduleDir(group), 'go.mod'), 'utf8'))?.[1] ?? '1.26.0';
  const mend = `${group.name} needs Go ${wanted} or newer to build; install it and put its bin folder into PATH`;
  const go = await run('go', ['env', 'GOVERSION'], { env: { ...GO_ENV, GOTOOLCHAIN: 'local' } });
  if (go.code !== 0) throw new Mend(`${mend} (none found)`);
  const numbers = (version: string) => (version.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  const [found, need] = [numbers(go.output), numbers(wanted)];
  const differs = need.findIndex((n, i) => n !== (found[i] ?? 0));
  if (differs >= 0 && (found[differs] ?? 0) < (need[differs] ?? 0))
    throw new Mend(`${mend} (found ${go.output.trim()})`);
}

/** Folder of a module's sources, downloaded if need be. */
async function sources(group: Group, module: string): Promise<string> {
  await run('go', ['-C', moduleDir(group), 'mod', 'download', module], { env: GO_ENV });
  const listed = await run('go', ['-C', moduleDir(group), 'list', '-m', '-f', '{{.Dir}}', module], {
    env: GO_ENV,
  });
  const dir = listed.output.trim();
  if (listed.code !== 0 || dir === '')
    throw new Mend(`cannot find the sources of ${module}: ${listed.output}`);
  return dir;
}

/** The CRDs of the three Flux controllers in one file of many documents. */
async function fluxCrds(group: Group): Promise<string> {
  const texts: string[] = [];
  for (const name of ['source-controller', 'kustomize-controller', 'helm-controller']) {
    const dir = join(await sources(group, `github.com/fluxcd/${name}`), 'config/crd/bases');
    for (const file of readdirSync(dir).sort()) texts.push(readFileSync(join(dir, file), 'utf8'));
  }
  return texts.map((text) => (text.startsWith('---') ? text : `---\n${text}`)).join('\n');
}

/** An image with nothing but one static program in it, and /tmp. */
function programImage(image: keyof typeof IMAGES, command: readonly string[]): Buffer {
  return imageArchive({
    name: IMAGES[image],
    files: [
      { path: 'tmp', mode: 0o1777 },
      { path: image, mode: 0o755, data: readFileSync(toolPath(image)) },
    ],
    entrypoint: [`/${image}`],
    command,
  });
}

/** Makes one file under a temporary name; the caller renames it, so that nobody sees half a file. */
async function make(group: Group, artifact: Artifact, to: string): Promise<void> {
  if ('package' in artifact) {
    const args = [
      '-C',
      moduleDir(group),
      'build',
      '-trimpath',
      '-ldflags',
      group.ldflags,
      '-o',
      to,
      artifact.package,
    ];
    const built = await run('go', args, { env: GO_ENV });
    if (built.code !== 0) throw new Mend(`cannot build ${artifact.name}:\n${built.output}`);
  } else if (artifact.make === 'flux-crds') writeFileSync(to, await fluxCrds(group));
  else if (artifact.make === 'pause-image') writeFileSync(to, programImage('pause', []));
  else writeFileSync(to, programImage('agnhost', ['pause']));
}

/** Whether a process lives; one of another user counts. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return e instanceof Error && 'code' in e && e.code === 'EPERM';
  }
}

/** Runs `work` while holding a folder as lock; waits for a living holder, takes over from a dead one. */
async function locked(dir: string, work: () => Promise<void>): Promise<void> {
  const lock = join(dir, 'lock');
  let told = false;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch {
      const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
      if (holder > 0 && !lives(holder)) rmSync(lock, { force: true });
      else if (!told && holder > 0) console.log(`waiting for process ${holder}, which builds into ${dir}`);
      told ||= holder > 0;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

const absent = (group: Group): Artifact[] => group.artifacts.filter((a) => !existsSync(toolPath(a.name)));

/** Builds what a group lacks; prints a line per file. */
async function build(group: Group): Promise<void> {
  if (absent(group).length === 0) return;
  if (!existsSync(join(moduleDir(group), 'go.mod')))
    throw new Mend(`${group.name}: no Go module in ${moduleDir(group)}`);
  await checkGo(group);
  const dir = groupDir(group);
  mkdirSync(dir, { recursive: true });
  await locked(dir, async () => {
    // What a killed build left half done.
    for (const name of readdirSync(dir)) if (name.endsWith('.part')) rmSync(join(dir, name), { force: true });
    for (const artifact of absent(group)) {
      const start = performance.now();
      const part = join(dir, `${artifact.name}.${process.pid}.part`);
      await make(group, artifact, part);
      renameSync(part, toolPath(artifact.name));
      const size = `${(statSync(toolPath(artifact.name)).size / 1e6).toFixed(1)} MB`;
      console.log(
        `${artifact.name.padEnd(24)} ${seconds(performance.now() - start).padStart(8)} ${size.padStart(9)}`,
      );
    }
  });
}

/** Says what the system lacks for a whole cluster; not an error, as the other levels run without. */
function tellPackages(): void {
  const packages = [...new Set([...missingPackages('flux'), ...missingPackages('cluster')])];
  if (packages.length > 0)
    console.log(
      `missing for a whole cluster: ${packages.join(', ')}; mend: apt-get install ${packages.join(' ')}`,
    );
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !GROUPS.some((g) => g.name === name));
  if (unknown.length > 0) {
    console.error(`no such group: ${unknown.join(', ')}; there are ${GROUPS.map((g) => g.name).join(', ')}`);
    return 2;
  }
  const groups = GROUPS.filter((g) => names.length === 0 || names.includes(g.name));
  const count = groups.flatMap(absent).length;
  if (count > 0)
    console.log(`building ${count} files; with an empty Go cache all of them take 23 to 28 minutes`);
  try {
    for (const group of groups) await build(group);
  } catch (e) {
    if (!(e instanceof Mend)) throw e;
    console.error(`make tools: ${e.message}`);
    return 1;
  }
  tellPackages();
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
