import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * The folder of the upstream product's Go module, at the version that tools/servers/metallb pins; undefined where
 * there is no Go, or the module is neither in the cache nor to be had.
 */
export function upstreamFolder(): string | undefined {
  try {
    const output = execFileSync('go', ['mod', 'download', '-json', 'go.universe.tf/metallb'], {
      cwd: join(import.meta.dirname, '../../../tools/servers/metallb'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
    const folder: unknown = Reflect.get(Object(JSON.parse(output)), 'Dir');
    return typeof folder === 'string' ? folder : undefined;
  } catch {
    return undefined;
  }
}
