import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { kustomize } from './kustomize.ts';

let dir: string;
/** A kubectl that does what the script says. */
const kubectl = (script: string) => {
  writeFileSync(join(dir, 'bin/kubectl'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, 'bin/kubectl'), 0o755);
};
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'herald-kustomize-'));
  mkdirSync(join(dir, 'bin'));
});
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe('kustomize', () => {
  it('gives what the tool prints, and lets it read above the folder as Flux does', async () => {
    kubectl('echo "$@"');
    vi.stubEnv('PATH', [join(dir, 'bin'), process.env.PATH].join(delimiter));
    expect(await kustomize('/some/folder')).toEqual({
      text: 'kustomize --load-restrictor=LoadRestrictionsNone /some/folder\n',
    });
  });

  it('gives the words of the tool when it fails, without its log line around them', async () => {
    vi.stubEnv('PATH', [join(dir, 'bin'), process.env.PATH].join(delimiter));
    kubectl(
      `echo 'E1121 14:58:44.2 1 run.go:72] "command failed" err="open \\"x\\": no such file"' >&2; exit 1`,
    );
    expect(await kustomize('/x')).toEqual({ failed: 'open "x": no such file' });
    kubectl('echo "error: unable to find one of kustomization.yaml" >&2; exit 1');
    expect(await kustomize('/x')).toEqual({ failed: 'unable to find one of kustomization.yaml' });
  });

  it('says that there is no kubectl', async () => {
    vi.stubEnv('PATH', join(dir, 'nowhere'));
    expect(await kustomize('/x')).toEqual({ failed: 'kubectl is not installed', missing: true });
  });
});
