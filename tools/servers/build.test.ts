import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../run.ts';
import { GROUPS, missingTools, toolPath, which } from './manifest.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'herald-tools-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

describe('where a tool is', () => {
  it('takes the three of KUBEBUILDER_ASSETS that are there, and no other', () => {
    writeFileSync(join(dir, 'etcd'), '');
    writeFileSync(join(dir, 'kubelet'), '');
    vi.stubEnv('KUBEBUILDER_ASSETS', dir);
    expect(toolPath('etcd')).toBe(join(dir, 'etcd'));
    expect(toolPath('kubectl')).not.toContain(dir);
    expect(toolPath('kubelet')).not.toContain(dir);
  });

  it('is one folder per group, and an error for a name that nobody builds', () => {
    const folders = GROUPS.map((g) => dirname(toolPath(g.artifacts[0]?.name ?? '')));
    expect(new Set(folders).size).toBe(GROUPS.length);
    expect(() => toolPath('docker')).toThrow(/docker/);
  });

  it('names the mend of a program that is missing', () => {
    vi.stubEnv('PATH', dir);
    expect(missingTools('flux').join(' ')).toMatch(/apt-get install .*git/);
  });
});

describe('make tools', () => {
  /** Builds the smallest group into a cache of its own; `path` is all that is found. */
  const build = (path: string, env: NodeJS.ProcessEnv = {}) =>
    run(process.execPath, [join(import.meta.dirname, 'build.ts'), 'pause'], {
      env: { XDG_CACHE_HOME: dir, PATH: path, ...env },
    });
  /** A folder with a `go` that only tells its version. */
  const fakeGo = (version: string) => {
    writeFileSync(join(dir, 'go'), `#!/bin/sh\necho ${version}\n`);
    chmodSync(join(dir, 'go'), 0o755);
    return dir;
  };

  it('says that Go is missing, and how to mend it', async () => {
    const done = await build(join(dir, 'nothing'));
    expect(done.code).toBe(1);
    expect(done.output).toMatch(/pause needs Go 1\.26\S* or newer .*PATH \(none found\)/);
  });

  it('says that Go is too old', async () => {
    expect((await build(fakeGo('go1.25.9'))).output).toContain('(found go1.25.9)');
  });

  it('refuses a group that it does not know', async () => {
    const done = await run(process.execPath, [join(import.meta.dirname, 'build.ts'), 'docker']);
    expect(done.code).toBe(2);
    expect(done.output).toContain('containerd');
  });

  it.skipIf(which('go') === undefined)(
    'builds once, past the lock of a build that died, and is silent then',
    async () => {
      const path = process.env.PATH ?? '';
      const folder = join(dir, 'herald', 'tools', dirname(toolPath('pause')).split('/').at(-1) ?? '');
      mkdirSync(folder, { recursive: true });
      // A process id that no Linux gives: the kernel's highest is 4194304.
      writeFileSync(join(folder, 'lock'), '4194305');
      writeFileSync(join(folder, 'pause.1.part'), 'half');
      // Go's own cache would move with ours, and be empty.
      const cache = { GOCACHE: (await run('go', ['env', 'GOCACHE'])).output.trim() };
      const first = await build(path, cache);
      expect(first.output).toMatch(/^pause +\d+\.\d s +\d+\.\d MB$/m);
      expect(readdirSync(folder).sort()).toEqual(['pause', 'pause.tar']);
      const second = await build(path, cache);
      expect(second.code).toBe(0);
      expect(second.output).not.toContain('MB');
    },
    120_000,
  );
});
