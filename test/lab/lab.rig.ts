import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyCrds, startControlPlane } from '../servers/apiserver.ts';
import { type ApiServer, available, type Bundle, exec, until, writeBundle } from '../servers/index.ts';
import { beginRun, type Daemon, type Run } from '../servers/run.ts';
import type { Report, Wish } from './client.ts';
import { type Faults, makeFaults } from './faults.rig.ts';
import { type Host, makeNetwork, type Network } from './network.rig.ts';
import { type Cluster, cluster, NAMESPACE, SPEAKER_LABELS } from './objects.rig.ts';

const ROOT = join(import.meta.dirname, '../..');

/** True, or in one line why this machine cannot have the lab. */
export function labAvailable(): true | string {
  if (process.getuid?.() !== 0) return 'needs root, or the user namespace that test/lab/README.md shows';
  for (const level of ['api', 'netns'] as const) {
    const answer = available(level);
    if (answer !== true) return answer;
  }
  return true;
}

/** A speaker process on a node. */
export interface RunningSpeaker {
  readonly daemon: Daemon;
  /** Writes a file into its settings directory; undefined removes it. */
  setting(file: string, text: string): void;
  /** Metrics as text. */
  metrics(): Promise<string>;
  /** Status of /readyz and its text; 0 when nothing answers. */
  readyz(): Promise<{ status: number; text: string }>;
  /** SIGTERM; how long the end took. */
  stop(): Promise<number>;
}

/** A client that asks at a steady rate until `stop`. */
export interface Prober {
  stop(): Promise<Report>;
}

export interface Lab {
  readonly run: Run;
  readonly api: ApiServer;
  readonly network: Network;
  readonly objects: Cluster;
  readonly faults: Faults;
  /** Node and speaker Pod objects are the caller's to make. Resolves when it is ready. */
  speaker(
    host: Host,
    o?: { args?: readonly string[]; settings?: Record<string, string>; ready?: boolean },
  ): Promise<RunningSpeaker>;
  probe(from: Host, ips: readonly string[], everyMs?: number): Promise<Prober>;
  /** Asks for all of `ips` in turn. */
  flood(
    from: Host,
    ips: readonly string[],
    o: NonNullable<Wish['flood']>,
  ): Promise<NonNullable<Report['flood']>>;
  /** Sends frames (hex) and says what came back within `waitMs`. */
  send(from: Host, frames: readonly string[], waitMs: number): Promise<Report>;
  close(): Promise<void>;
}

/** mgmt0 must stay silent: it is the lab's own. */
export const EXCLUDE = (...more: string[]): string =>
  `announcedInterfacesToExclude: ${JSON.stringify(['^mgmt0$', '^lo$', ...more])}\n`;

/** `bundled`: speakers run from the bundle that the image has, not from the sources; for figures. */
export async function startLab(o: { bundled?: boolean } = {}): Promise<Lab> {
  const run = await beginRun();
  try {
    const bundle = o.bundled === true ? await writeBundle(run.dir) : undefined;
    const network = await makeNetwork(run);
    const api = await startControlPlane(run, { bind: network.address });
    await applyCrds(api);
    await api.kubectl('create', 'namespace', NAMESPACE);
    return {
      run,
      api,
      network,
      objects: cluster(api),
      faults: makeFaults(run, network),
      speaker: (host, o) =>
        startSpeaker(
          {
            run,
            api,
            host,
            bundle,
          },
          o,
        ),
      probe: (from, ips, everyMs) =>
        startProber(from, {
          interface: 'eth0',
          ips,
          everyMs: everyMs ?? 5,
        }),
      async flood(from, ips, o) {
        const client = await startClient(from, {
          interface: 'eth0',
          ips,
          flood: o,
        });
        return (
          (await client.report).flood ?? {
            sent: 0,
            answered: 0,
            seconds: 0,
          }
        );
      },
      send: (from, frames, waitMs) =>
        startClient(from, {
          interface: 'eth0',
          frames,
          waitMs,
        }).then((client) => client.report),
      close: () => run.close(),
    };
  } catch (error) {
    await run.close();
    throw error;
  }
}

/** 192.0.2.7 as a number. */
export function number(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** All capabilities but NET_RAW are out of reach, whatever the program does. */
const ONLY_NET_RAW = [
  'setpriv',
  '--inh-caps=-all',
  '--ambient-caps=-all',
  '--bounding-set=-all,+net_raw',
  '--no-new-privs',
];
const PORTS = { health: '17472', metrics: '9120' };

let starts = 0;

async function startSpeaker(
  { run, api, host, bundle }: { run: Run; api: ApiServer; host: Host; bundle: Bundle | undefined },
  o: { args?: readonly string[]; settings?: Record<string, string>; ready?: boolean } = {},
): Promise<RunningSpeaker> {
  const configDir = join(run.dir, `settings-${host.name}-${++starts}`);
  mkdirSync(configDir);
  for (const [file, text] of Object.entries({ 'excludel2.yaml': EXCLUDE(), ...o.settings })) {
    writeFileSync(join(configDir, file), text);
  }
  const labels = Object.entries(SPEAKER_LABELS).map(([name, value]) => `${name}=${value}`);
  const flags = [`--node-name=${host.name}`, `--namespace=${NAMESPACE}`, `--kubeconfig=${api.kubeconfig}`];
  const more = [
    `--ml-labels=${labels.join(',')}`,
    `--config-dir=${configDir}`,
    `--pod-name=speaker-${host.name}`,
  ];
  const program = bundle?.program('speaker') ?? join(ROOT, 'src/bin/speaker.ts');
  const line = [process.execPath, program, ...flags, ...more, ...(o.args ?? [])];
  const [command, ...args] = host.enter([...ONLY_NET_RAW, ...line]);
  const daemon = run.start({
    name: `speaker-${host.name}`,
    command,
    args,
    cwd: ROOT,
    env: { ...bundle?.env },
  });
  const get = async (port: string, path: string) => {
    const [curl, ...rest] = host.enter([
      'curl',
      '-s',
      '-m',
      '2',
      '-w',
      '\n%{http_code}',
      `http://127.0.0.1:${port}${path}`,
    ]);
    const { stdout } = await exec(curl, rest);
    const lines = stdout.trimEnd().split('\n');
    return { status: Number(lines.at(-1)), text: lines.slice(0, -1).join('\n') };
  };
  const readyz = () => get(PORTS.health, '/readyz');
  if (o.ready !== false) await daemon.ready(async () => (await readyz()).status === 200, 30_000);
  return {
    daemon,
    readyz,
    setting: (file, text) => writeFileSync(join(configDir, file), text),
    metrics: async () => (await get(PORTS.metrics, '/metrics')).text,
    async stop() {
      const begin = performance.now();
      await daemon.stop();
      return performance.now() - begin;
    },
  };
}

async function startClient(from: Host, wish: Wish): Promise<{ report: Promise<Report>; stop(): void }> {
  const [command, ...args] = from.enter([process.execPath, join(import.meta.dirname, 'client.ts')]);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  // Not an argument: ten thousand addresses are more than the kernel takes there.
  child.stdin.end(JSON.stringify(wish));
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const report = new Promise<Report>((resolve, reject) => {
    child.on('exit', (code) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`client: exit ${code}: ${err}`));
    });
  });
  // Whoever awaits it sees the error; until then it must not end the process.
  report.catch(() => {});
  await until('the client', () => err.includes('ready') || child.exitCode !== null, { everyMs: 5 });
  return { report, stop: () => void child.kill('SIGTERM') };
}

async function startProber(from: Host, wish: Wish): Promise<Prober> {
  const client = await startClient(from, wish);
  return {
    stop() {
      client.stop();
      return client.report;
    },
  };
}
