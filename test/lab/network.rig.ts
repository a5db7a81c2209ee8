import { join } from 'node:path';
import { must } from '../servers/exec.ts';
import type { Run } from '../servers/run.ts';

/** A namespace of the lab and how to run something in it. */
export interface Host {
  readonly name: string;
  /** Name of the network namespace. */
  readonly netns: string;
  /** The command line that runs `command` in it. */
  enter(command: readonly string[]): readonly [string, ...string[]];
  /** Runs a command to its end; throws when it fails. */
  exec(...command: string[]): Promise<string>;
}

export type Wire = 'mgmt' | 'lan';

/** Bridges and namespaces of one run, named by its prefix, so that the run's end removes them. */
export interface Network {
  /** Address of the machine itself on the management bridge. */
  readonly address: string;
  /** The bridges: of the nodes and the machine (their ring is there), and of the nodes and the clients. */
  readonly bridges: Readonly<Record<Wire, string>>;
  /** The bridge's ends of a host's links to it. */
  ports(host: Host, wire: Wire): readonly string[];
  /** A node: mgmt0 to the machine, lan0 to the switch. */
  node(name: string): Promise<Host>;
  /** A client: eth0 to the switch. */
  client(name: string): Promise<Host>;
  /** Connects one more link of a host to the switch, and switches it on. */
  plug(host: Host, link: string): Promise<void>;
  /** Whether the switch sends multicast only where somebody has joined the group (MLD snooping); it asks for members itself. */
  snoop(on: boolean): Promise<void>;
  /** The groups that the switch knows members of, as `bridge mdb` prints them. */
  members(): Promise<string>;
}

const ip = (...args: string[]) => must('ip', args);

export async function makeNetwork(run: Run): Promise<Network> {
  const { prefix } = run;
  const mgmt = `${prefix}-m`;
  const lan = `${prefix}-l`;
  const bridges = { mgmt, lan };
  const address = `10.89.${run.block}.1`;
  for (const bridge of [mgmt, lan]) {
    await ip('link', 'add', bridge, 'type', 'bridge', 'mcast_snooping', '0');
    await ip('link', 'set', bridge, 'up');
  }
  await ip('address', 'add', `${address}/24`, 'dev', mgmt);
  let count = 0;

  const host = async (name: string): Promise<Host> => {
    const netns = `${prefix}-${name}`;
    await ip('netns', 'add', netns);
    // nsenter, not `ip netns exec`: that one would mount another /sys.
    const enter = (command: readonly string[]): readonly [string, ...string[]] => [
      'nsenter',
      `--net=${join('/run/netns', netns)}`,
      ...command,
    ];
    const exec = (...command: string[]) => {
      const [program, ...args] = enter(command);
      return must(program, args);
    };
    await exec('ip', 'link', 'set', 'lo', 'up');
    return { name, netns, enter, exec };
  };
  const ends: { readonly name: string; readonly of: string; readonly bridge: string }[] = [];
  const connect = async (to: Host, link: string, bridge: string): Promise<void> => {
    // Named after its bridge, so that a rule can mean all ends of one.
    const end = `${bridge}${++count}`;
    ends.push({ name: end, of: to.name, bridge });
    await ip('link', 'add', end, 'type', 'veth', 'peer', 'name', link, 'netns', to.netns);
    await ip('link', 'set', end, 'master', bridge, 'up');
    await to.exec('ip', 'link', 'set', link, 'up');
  };
  let nodes = 0;
  return {
    address,
    bridges,
    ports: (host, wire) =>
      ends.filter(({ of, bridge }) => of === host.name && bridge === bridges[wire]).map(({ name }) => name),
    async node(name) {
      const made = await host(name);
      await connect(made, 'mgmt0', mgmt);
      await made.exec('ip', 'address', 'add', `10.89.${run.block}.${10 + ++nodes}/24`, 'dev', 'mgmt0');
      await connect(made, 'lan0', lan);
      return made;
    },
    async client(name) {
      const made = await host(name);
      await connect(made, 'eth0', lan);
      await made.exec('ip', 'address', 'add', '192.0.2.254/24', 'dev', 'eth0');
      await made.exec('ip', 'address', 'add', '2001:db8::fe/64', 'dev', 'eth0', 'nodad');
      return made;
    },
    plug: (to, link) => connect(to, link, lan),
    async snoop(on) {
      const value = on ? '1' : '0';
      await ip('link', 'set', lan, 'type', 'bridge', 'mcast_snooping', value, 'mcast_querier', value);
    },
    members: () => must('bridge', ['mdb', 'show', 'dev', lan]),
  };
}

/** The hardware address of a host's link. */
export async function macOf(host: Host, link: string): Promise<string> {
  const text = await host.exec('ip', '-o', 'link', 'show', link);
  const found = /link\/ether (\S+)/.exec(text)?.[1];
  if (found === undefined) throw new Error(`${host.name} ${link}: ${text}`);
  return found;
}
