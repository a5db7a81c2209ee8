import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../servers/tar.ts';
import { digest, type Layer, layer, ociArchive } from './oci.ts';

const file = (path: string, text: string, mode = 0o644): Entry => ({ path, mode, data: Buffer.from(text) });
const IMAGE = {
  architecture: 'amd64',
  reference: 'registry.example:5000/herald:1.2.3',
  user: '65534:65534',
  workingDir: '/app',
  entrypoint: ['/usr/bin/node'],
  labels: { 'org.opencontainers.image.title': 'herald' },
};
const layers = (): readonly Layer[] => [
  layer('Node', [file('usr/bin/node', 'binary', 0o755)]),
  layer('Herald', [file('app/speaker.js', 'speak()'), file('app/controller.js', 'control()')]),
];

/** The files of a tar archive, read by the offsets of POSIX ustar; folders have no content. */
function untar(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; archive[at] !== 0; ) {
    const text = (from: number, to: number) =>
      archive
        .subarray(at + from, at + to)
        .toString()
        .replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 136), 8);
    files.set(text(0, 100), archive.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Follows a descriptor, as a registry client does: the blob has the digest and the size that were promised. */
function blob(files: ReadonlyMap<string, Buffer>, d: Descriptor): Buffer {
  const data = files.get(`blobs/${d.digest.replace(':', '/')}`);
  if (!data) throw new Error(`no blob ${d.digest}`);
  expect([digest(data), data.length]).toEqual([d.digest, d.size]);
  return data;
}
const json = <T>(data: Buffer | undefined): T => JSON.parse(String(data));

describe('an image archive', () => {
  const files = untar(ociArchive(layers(), IMAGE));
  const index = json<{ manifests: (Descriptor & { annotations: Record<string, string> })[] }>(
    files.get('index.json'),
  );
  const [entry] = index.manifests;
  if (!entry) throw new Error('no manifest');
  const manifest = json<{ config: Descriptor; layers: Descriptor[] }>(blob(files, entry));

  it('leads from its index over the manifest to every blob, by digests that fit, and holds nothing else', () => {
    const config = json<{ rootfs: { diff_ids: string[] }; config: { User: string } }>(
      blob(files, manifest.config),
    );
    const unpacked = manifest.layers.map((one) => digest(gunzipSync(blob(files, one))));
    expect(config.rootfs.diff_ids).toEqual(unpacked);
    expect(config.config.User).toBe('65534:65534');
    const named = [entry, manifest.config, ...manifest.layers].map(
      (one) => `blobs/${one.digest.replace(':', '/')}`,
    );
    expect([...files.keys()].sort()).toEqual(['index.json', 'oci-layout', ...named].sort());
    expect(json(files.get('oci-layout'))).toEqual({ imageLayoutVersion: '1.0.0' });
  });

  it('carries its name where containerd and skopeo look for it', () => {
    expect(entry.annotations).toEqual({
      'io.containerd.image.name': 'registry.example:5000/herald:1.2.3',
      'org.opencontainers.image.ref.name': '1.2.3',
    });
  });

  it('is the same for the same content, whatever the order and the time', () => {
    expect(ociArchive(layers(), IMAGE).equals(ociArchive(layers(), IMAGE))).toBe(true);
    const [a, b] = [file('app/a', '1'), file('app/b', '2')];
    expect(layer('x', [a, b]).blob.equals(layer('x', [b, a]).blob)).toBe(true);
    // The header of gzip has a time in bytes 4 to 7.
    expect(layers()[0]?.blob.readUInt32LE(4)).toBe(0);
  });

  it('is another one for another content', () => {
    const [node] = layers();
    if (!node) throw new Error('no layer');
    const other = layer('Herald', [file('app/speaker.js', 'shout()')]);
    expect(ociArchive([node, other], IMAGE).equals(ociArchive(layers(), IMAGE))).toBe(false);
  });
});

describe('a layer', () => {
  it('names the folders above its files first, once each', () => {
    const { blob: packed } = layer('x', [file('usr/lib/b', '1'), file('usr/lib/a/c', '2')]);
    expect([...untar(gunzipSync(packed)).keys()]).toEqual([
      'usr/',
      'usr/lib/',
      'usr/lib/a/',
      'usr/lib/a/c',
      'usr/lib/b',
    ]);
  });

  it('refuses a path that its format cannot hold', () => {
    expect(() => layer('x', [file('a'.repeat(101), '')])).toThrow(/path too long/);
  });
});
