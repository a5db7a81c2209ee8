import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Entry } from '../servers/tar.ts';
import { digest, layer, ociArchive } from './oci.ts';

const file = (path: string, data: string): Entry => ({ path, mode: 0o644, data: Buffer.from(data) });
const FILES = [file('usr/lib/b.so', 'b'), file('app/main.js', 'a'), { path: 'tmp', mode: 0o1777 }];
const CONFIG = {
  architecture: 'amd64',
  reference: 'localhost/herald:1.2.3',
  user: '65534:65534',
  workingDir: '/app',
  entrypoint: ['/usr/bin/node'],
  env: { NODE_ENV: 'production' },
  labels: { 'org.opencontainers.image.title': 'herald' },
};

/** Lists and reads an archive with the machine's own tar. */
function read(archive: Uint8Array): { names: readonly string[]; text(path: string): Buffer } {
  const dir = mkdtempSync(join(tmpdir(), 'herald-oci-'));
  try {
    const path = join(dir, 'a.tar');
    writeFileSync(path, archive);
    const tar = (...args: string[]) => execFileSync('tar', [...args], { env: { ...process.env, TZ: 'UTC' } });
    const names = tar('-tvf', path, '--full-time', '--numeric-owner').toString().trimEnd().split('\n');
    const held = new Map(
      names.map((line) => line.split(' ').at(-1) ?? '').map((n) => [n, tar('-xOf', path, n)]),
    );
    return { names, text: (name) => held.get(name) ?? Buffer.alloc(0) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test('a layer is the same bytes whatever the order of its files', () => {
  const made = layer('x', FILES);
  expect(layer('y', FILES.toReversed())).toEqual({ ...made, name: 'y' });
  expect(layer('x', [...FILES, file('app/other.js', '')]).diffId).not.toBe(made.diffId);
});

test('a layer holds its files and the folders above them, owned by root and from no time', () => {
  const made = layer('x', FILES);
  const archive = zstdDecompressSync(made.blob);
  expect([digest(archive), archive.length]).toEqual([made.diffId, made.unpacked]);
  const { names, text } = read(archive);
  expect(names.map((line) => line.replace(/ +/g, ' '))).toEqual([
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 app/',
    '-rw-r--r-- 0/0 1 1970-01-01 00:00:00 app/main.js',
    'drwxrwxrwt 0/0 0 1970-01-01 00:00:00 tmp/',
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 usr/',
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 usr/lib/',
    '-rw-r--r-- 0/0 1 1970-01-01 00:00:00 usr/lib/b.so',
  ]);
  expect(text('app/main.js').toString()).toBe('a');
});

test('an archive names each blob by its digest, from the index down to the layers', () => {
  const layers = [layer('base', FILES), layer('app', [file('app/main.js', 'new')])];
  const { text } = read(ociArchive(layers, CONFIG));
  const blob = (d: { digest: string; size: number }): Buffer => {
    const found = text(`blobs/${d.digest.replace(':', '/')}`);
    expect([digest(found), found.length]).toEqual([d.digest, d.size]);
    return found;
  };
  const [entry] = JSON.parse(text('index.json').toString()).manifests;
  expect(entry.annotations['io.containerd.image.name']).toBe('localhost/herald:1.2.3');
  expect(entry.annotations['org.opencontainers.image.ref.name']).toBe('1.2.3');
  const manifest = JSON.parse(blob(entry).toString());
  const config = JSON.parse(blob(manifest.config).toString());
  expect(manifest.layers.map(blob)).toEqual(layers.map((l) => l.blob));
  expect(config.rootfs.diff_ids).toEqual(layers.map((l) => l.diffId));
  expect(config.config).toMatchObject({
    User: '65534:65534',
    Entrypoint: ['/usr/bin/node'],
    WorkingDir: '/app',
  });
  expect(JSON.parse(text('oci-layout').toString())).toEqual({ imageLayoutVersion: '1.0.0' });
});
