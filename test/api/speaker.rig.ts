/** A speaker inside the test's own process, on a machine whose links and frames are the test's. */
import { parseMac } from '../../src/domain/ip/mac.ts';
import { connect } from '../../src/platform/kube/client.ts';
import { FakeMachine } from '../../src/platform/linux/machine.rig.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import type { SpeakerOptions } from '../../src/programs/speaker/options.ts';
import { Speaker } from '../../src/programs/speaker/speaker.ts';
import { BROADCAST, decode, encode } from '../../src/protocols/arp/codec.ts';
import { number } from '../lab/lab.rig.ts';
import { NAMESPACE, SPEAKER_LABELS } from '../lab/objects.rig.ts';
import { type ApiServer, until } from '../servers/index.ts';

export const LAN = 2;
const UP = 0x1_1003;
const CLIENT = parseMac('02:00:00:00:00:99') ?? new Uint8Array(6);

export interface Running {
  readonly speaker: Speaker;
  readonly machine: FakeMachine;
  readonly log: readonly string[];
  metrics(): Promise<string>;
  /** Whether the address is answered on the link. */
  answers(ip: string, link?: number): boolean;
  close(): Promise<void>;
}

export interface StartOptions extends Partial<SpeakerOptions> {
  /** Wait until it is ready; default true. */
  readonly wait?: boolean;
}

export async function startSpeaker(api: ApiServer, node: string, o: StartOptions = {}): Promise<Running> {
  const log: string[] = [];
  const metrics = new Metrics({ defaults: false });
  const common = {
    clock: systemClock,
    random: systemRandom,
    metrics,
    log: createLog({ level: 'debug', clock: systemClock, write: (line) => log.push(line) }),
  };
  const machine = new FakeMachine({
    index: LAN,
    name: 'lan0',
    mac: [2, 0, 0, 0, 0, node.charCodeAt(node.length - 1)],
    flags: UP,
  });
  const client = await connect({ ...common, kubeconfig: api.kubeconfig, userAgent: `speaker-${node}` });
  const labels = Object.entries(SPEAKER_LABELS).map(([name, value]) => `${name}=${value}`);
  const { wait, ...more } = o;
  const options: SpeakerOptions = {
    node,
    namespace: NAMESPACE,
    ignoreExcludeLb: false,
    speakerSelectors: [labels.join(',')],
    podName: `speaker-${node}`,
    ...more,
  };
  const speaker = await Speaker.start({ ...common, client, sockets: machine, logLevel: 'debug' }, options);
  if (wait !== false)
    await until(`${node} ready`, () => speaker.ready === true, { timeoutMs: 20_000, everyMs: 10 });
  return {
    speaker,
    machine,
    log,
    metrics: () => metrics.text(),
    answers(ip, link = LAN) {
      const head = {
        destination: BROADCAST,
        source: CLIENT,
        senderMac: CLIENT,
        targetMac: new Uint8Array(6),
      };
      const frame = encode({
        ...head,
        operation: 1,
        senderIp: 1,
        targetIp: number(ip),
      });
      return machine.receiveOn(link, frame).some((sent) => decode(sent)?.operation === 2);
    },
    async close() {
      await speaker.close();
      await client.close();
    },
  };
}
