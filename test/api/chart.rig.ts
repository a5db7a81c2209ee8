/** What the tests of the chart share: helm as it is, rendered objects, and the programs under their own accounts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { kubeconfigText } from '../servers/certs.ts';
import { type ApiServer, exec, type Result, toolPath } from '../servers/index.ts';

const root = join(import.meta.dirname, '../..');
export const CHART = join(root, 'chart');
export const NAMESPACE = 'metallb-system';
export const RELEASE = 'herald';

/** An object as YAML says it; what is read of it is checked by the test that reads. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
  };
  readonly [field: string]: unknown;
}

export interface HelmOptions {
  readonly values?: object;
  readonly kubeconfig?: string;
  readonly flags?: readonly string[];
}

/** Runs helm with the values in a file, as Flux does; a bad exit is in the result. */
export async function helm(args: readonly string[], o: HelmOptions = {}): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'herald-chart-'));
  try {
    const values = join(dir, 'values.json');
    writeFileSync(values, JSON.stringify(o.values ?? {}));
    const env = {
      HELM_CACHE_HOME: dir,
      HELM_CONFIG_HOME: dir,
      HELM_DATA_HOME: dir,
      KUBECONFIG: o.kubeconfig ?? '',
    };
    return await exec(toolPath('helm'), [...args, '--values', values, ...(o.flags ?? [])], { env });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The objects that the chart makes of these values, with every API that it asks for at hand. */
export async function render(values: object = {}, ...flags: readonly string[]): Promise<readonly Rendered[]> {
  const apis = [
    '--kube-version=1.36.0',
    '--api-versions=admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy',
  ];
  const done = await helm(['template', RELEASE, CHART, '-n', NAMESPACE, ...apis], { values, flags });
  if (done.code !== 0) throw new Error(done.stderr);
  return documents(done.stdout);
}

export function documents(text: string): readonly Rendered[] {
  const read = parseAllDocuments(text).map((document): unknown => document.toJS());
  return read.filter((one): one is Rendered => typeof one === 'object' && one !== null && 'kind' in one);
}

/** The one object of that kind, and of that name where several are. */
export function only(objects: readonly Rendered[], kind: string, name?: string): Rendered {
  const found = objects.filter((o) => o.kind === kind && (name === undefined || o.metadata.name === name));
  const [first] = found;
  if (!first || found.length > 1) throw new Error(`${found.length} of ${kind} ${name ?? ''}`);
  return first;
}

/** The values of a cluster in overlays/. */
export function overlay(name: string): object {
  const values: unknown = parse(readFileSync(join(root, 'overlays', name, 'values.yaml'), 'utf8'));
  if (typeof values !== 'object' || values === null) throw new Error(`no values in overlay ${name}`);
  return values;
}

/** Installs or upgrades the release for real; throws helm's words. */
export async function install(
  api: ApiServer,
  values: object = {},
  ...flags: readonly string[]
): Promise<void> {
  // Without values helm would take those of the last release again.
  const args = [
    'upgrade',
    '--install',
    '--reset-values',
    RELEASE,
    CHART,
    '-n',
    NAMESPACE,
    '--create-namespace',
  ];
  const done = await helm(args, { values, kubeconfig: api.kubeconfig, flags });
  if (done.code !== 0) throw new Error(done.stderr);
}

/** Path of a kubeconfig with a token of one of the release's service accounts. */
export async function accountConfig(api: ApiServer, account: string): Promise<string> {
  const token = (await api.kubectl('create', 'token', account, '-n', NAMESPACE)).trim();
  const path = join(api.dir, `${account}.kubeconfig`);
  writeFileSync(path, kubeconfigText(api.url, api.ca, { token }), { mode: 0o600 });
  return path;
}

/** A program of Herald as a process, with the account and the arguments that the chart gives it. */
export async function startProgram(
  name: 'reconciler' | 'controller',
  o: { readonly kubeconfig: string; readonly args: readonly string[] },
): Promise<{ readonly log: readonly string[]; stop(): Promise<void> }> {
  const log: string[] = [];
  const args = [join(root, `src/bin/${name}.ts`), `--kubeconfig=${o.kubeconfig}`, ...o.args];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => log.push(...text.trimEnd().split('\n')));
  await once(child, 'spawn');
  return {
    log,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
