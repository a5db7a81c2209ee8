/** Writes tar archives and, with them, container images in Docker's archive format, without Docker. */
import { createHash } from 'node:crypto';

/** One entry of an archive; without data it is a folder. Path without a leading slash; mode as in chmod. */
export interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly data?: Uint8Array;
}

const BLOCK = 512;

/** A POSIX ustar header (IEEE 1003.1 pax, ustar part): owner root, time 0, so that equal input gives equal bytes. */
function header(entry: Entry): Buffer {
  const path = entry.data === undefined ? `${entry.path}/` : entry.path;
  if (Buffer.byteLength(path) > 100) throw new Error(`path too long for a ustar name: ${path}`);
  const block = Buffer.alloc(BLOCK);
  const octal = (at: number, length: number, value: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'ascii');
  block.write(path, 0, 'utf8');
  octal(100, 8, entry.mode);
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, entry.data?.length ?? 0);
  octal(136, 12, 0);
  // The checksum counts its own field as spaces.
  block.fill(' ', 148, 156);
  block.write(entry.data === undefined ? '5' : '0', 156, 'ascii');
  block.write('ustar\u000000', 257, 'ascii');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return block;
}

/** The bytes of an archive with these entries, in this order. Pure. */
export function tar(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const data = entry.data ?? new Uint8Array();
    return [header(entry), data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** A one-layer image as `ctr images import` and `docker load` take it. Pure. */
export function imageArchive(o: {
  readonly name: string;
  readonly files: readonly Entry[];
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
}): Buffer {
  const layer = tar(o.files);
  const config = Buffer.from(
    JSON.stringify({
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: 'linux',
      config: { Entrypoint: o.entrypoint, Cmd: o.command ?? [], Env: ['PATH=/'], WorkingDir: '/' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
      history: [{ created: '1970-01-01T00:00:00Z' }],
    }),
  );
  const manifest = [{ Config: 'config.json', RepoTags: [o.name], Layers: ['layer.tar'] }];
  return tar([
    { path: 'config.json', mode: 0o644, data: config },
    { path: 'layer.tar', mode: 0o644, data: layer },
    { path: 'manifest.json', mode: 0o644, data: Buffer.from(JSON.stringify(manifest)) },
  ]);
}
