import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { imageArchive, tar } from './tar.ts';

/** What the system's own tar makes of an archive. */
const system = (archive: Uint8Array, ...args: string[]) =>
  spawnSync('tar', [...args, '-f', '-'], { input: archive, encoding: 'utf8' });

it('writes archives that the system reads, with modes, sizes and content', () => {
  const archive = tar([
    { path: 'tmp', mode: 0o1777 },
    { path: 'bin/program', mode: 0o755, data: Buffer.from('x'.repeat(513)) },
    { path: 'empty', mode: 0o600, data: new Uint8Array() },
  ]);
  const listed = system(archive, '--numeric-owner', '-tv');
  expect(listed.stderr).toBe('');
  expect(
    listed.stdout.split('\n').map((line) => line.replace(/ +/g, ' ').replace(/1970\S* \S*/, 'EPOCH')),
  ).toEqual([
    'drwxrwxrwt 0/0 0 EPOCH tmp/',
    '-rwxr-xr-x 0/0 513 EPOCH bin/program',
    '-rw------- 0/0 0 EPOCH empty',
    '',
  ]);
  expect(system(archive, '-xO', 'bin/program').stdout).toBe('x'.repeat(513));
});

it('refuses a path that ustar has no room for', () => {
  expect(() => tar([{ path: 'a'.repeat(101), mode: 0o644, data: new Uint8Array() }])).toThrow(/too long/);
});

it('names the layer of an image by the digest of what is in it', () => {
  const archive = imageArchive({
    name: 'localhost/x:1',
    files: [{ path: 'x', mode: 0o755, data: Buffer.from('program') }],
    entrypoint: ['/x'],
  });
  const manifest: unknown = JSON.parse(system(archive, '-xO', 'manifest.json').stdout);
  expect(manifest).toEqual([{ Config: 'config.json', RepoTags: ['localhost/x:1'], Layers: ['layer.tar'] }]);
  const layer = spawnSync('tar', ['-xO', '-f', '-', 'layer.tar'], { input: archive }).stdout;
  const config: unknown = JSON.parse(system(archive, '-xO', 'config.json').stdout);
  const digest = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  expect(config).toMatchObject({ config: { Entrypoint: ['/x'] }, rootfs: { diff_ids: [digest] } });
});
