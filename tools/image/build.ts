/** `make image`: builds dist/herald-image.tar, an OCI archive, without Docker. Equal inputs give an equal image. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { seconds } from '../run.ts';
import type { Entry } from '../servers/tar.ts';
import { digest, type Layer, layer, ociArchive } from './oci.ts';
import { environment, koffi, libraries, Mend, node, pinned, programs } from './parts.ts';

/** Where the archive lies, and the name it carries; the chart's own default, so a lab needs no registry. */
export const IMAGE_FILE = 'dist/herald-image.tar';
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'herald/image');

const version = (name: string): string => {
  const found: unknown = JSON.parse(readFileSync(join(name, 'package.json'), 'utf8'));
  return String(Reflect.get(Object(found), 'version'));
};

/** A layer out of the cache, or made and put there. `input` names all that its content follows from. */
async function cached(name: string, input: string, files: () => Promise<Entry[]> | Entry[]): Promise<Layer> {
  const key = createHash('sha256').update(`4 ${name} ${input}`).digest('hex').slice(0, 24);
  const [blobFile, factsFile] = [join(cache, `${key}.tar.zst`), join(cache, `${key}.json`)];
  if (existsSync(factsFile) && existsSync(blobFile)) {
    const facts: unknown = JSON.parse(readFileSync(factsFile, 'utf8'));
    const diffId = String(Reflect.get(Object(facts), 'diffId'));
    for (const used of [blobFile, factsFile]) utimesSync(used, new Date(), new Date());
    return {
      name,
      blob: readFileSync(blobFile),
      diffId,
      unpacked: Number(Reflect.get(Object(facts), 'unpacked')),
    };
  }
  const made = layer(name, await files());
  mkdirSync(cache, { recursive: true });
  put(blobFile, made.blob);
  put(factsFile, Buffer.from(JSON.stringify({ diffId: made.diffId, unpacked: made.unpacked })));
  return made;
}

/** Writes a file so that nobody ever sees half of it. */
function put(path: string, data: Uint8Array): void {
  writeFileSync(`${path}.${process.pid}`, data);
  renameSync(`${path}.${process.pid}`, path);
}

/** Layers that no build has used for two weeks are of no more use: each state of the sources leaves one. */
function forgetOld(): void {
  const old = Date.now() - 14 * 24 * 3600_000;
  for (const file of globSync(join(cache, '*')))
    if (statSync(file).mtimeMs < old) rmSync(file, { force: true });
}

async function main(): Promise<void> {
  const start = performance.now();
  const { arch } = process;
  const pins = JSON.stringify([...pinned(arch)]);
  const bundle = await programs();
  const bundleInput = digest(
    Buffer.concat(bundle.map((f) => Buffer.concat([Buffer.from(f.path), f.data ?? Buffer.alloc(0)]))),
  );
  const layers = [
    await cached('Debian libraries', pins, () => libraries(arch)),
    await cached('Node', `${arch} ${version(`node_modules/node-linux-${arch}`)}`, () => node(arch)),
    await cached('koffi', `${arch} ${version('node_modules/koffi')}`, () => koffi(arch)),
    await cached('Herald', bundleInput, () => bundle),
  ];
  const reference = `localhost/herald:${version('.')}`;
  const archive = ociArchive(layers, {
    architecture: { x64: 'amd64', arm64: 'arm64' }[String(arch)] ?? arch,
    reference,
    user: '65534:65534',
    workingDir: '/app',
    entrypoint: ['/usr/bin/node'],
    env: environment,
    labels: { 'org.opencontainers.image.title': 'herald', 'org.opencontainers.image.version': version('.') },
  });
  if (existsSync(IMAGE_FILE) && readFileSync(IMAGE_FILE).equals(archive)) {
    console.log(
      `${IMAGE_FILE} is up to date (${reference}, ${megabytes(archive.length)}), ${seconds(performance.now() - start)}`,
    );
    return;
  }
  for (const l of layers)
    console.log(
      `${l.name.padEnd(17)} ${megabytes(l.blob.length).padStart(8)} packed ${megabytes(l.unpacked).padStart(9)} unpacked`,
    );
  forgetOld();
  mkdirSync('dist', { recursive: true });
  put(IMAGE_FILE, archive);
  console.log(
    `${IMAGE_FILE} ${megabytes(archive.length)} ${reference} ${digest(archive).slice(0, 19)}, ${seconds(performance.now() - start)}`,
  );
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

try {
  await main();
} catch (e) {
  if (!(e instanceof Mend)) throw e;
  console.error(`image: ${e.message}`);
  process.exitCode = 1;
}
