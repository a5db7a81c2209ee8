/** The network of a cluster: one bridge on this machine, and namespaces with a veth into it. Needs root. */
import { exec, must, type Result } from './exec.ts';
import type { Run } from './run.ts';

/** A namespace on the bridge. Its device there is `eth0`, the other end `port`. */
export interface Host {
  readonly netns: string;
  readonly ip: string;
  readonly port: string;
}

export interface Network {
  readonly bridge: string;
  /** `10.89.N.0/24`: the machine is .1, the client .9, node i .(10+i); what is above .100 is free for tests. */
  readonly subnet: string;
  /** Address of this machine on the bridge. */
  readonly gateway: string;
  /** The address with this last byte. */
  address(last: number): string;
  /** Pod networks of all nodes, and of node i. */
  readonly podCidr: string;
  podCidrOf(node: number): string;
}

/** Runs a batch of `ip` commands, one a line, in a namespace or in the machine's own. */
const ip = (commands: readonly string[], netns?: string): Promise<string> =>
  must('ip', [...(netns === undefined ? [] : ['-n', netns]), '-batch', '-'], {
    input: `${commands.join('\n')}\n`,
  });

/** Makes the bridge of a run, with addresses out of its block. */
export async function makeNetwork(run: Run): Promise<Network> {
  const bridge = `${run.prefix}-br`;
  const address = (last: number) => `10.89.${run.block}.${last}`;
  // A bridge without an address of its own takes its lowest port's, which changes as nodes come and go.
  const mac = `02:89:00:00:${run.block.toString(16).padStart(2, '0')}:01`;
  await ip([
    `link add name ${bridge} address ${mac} type bridge`,
    `address add ${address(1)}/24 dev ${bridge}`,
    `link set ${bridge} up`,
  ]);
  return {
    bridge,
    subnet: `10.89.${run.block}.0/24`,
    gateway: address(1),
    address,
    podCidr: `10.${128 + run.block}.0.0/16`,
    podCidrOf: (node) => `10.${128 + run.block}.${node}.0/24`,
  };
}

/** Makes a namespace `<prefix>-<name>` on the bridge with this last byte of address. */
export async function makeHost(run: Run, network: Network, o: { name: string; last: number }): Promise<Host> {
  const netns = `${run.prefix}-${o.name}`;
  // Interface names end at 15 characters, so "node12" becomes "n12".
  const port = `${run.prefix}-${o.name.replace(/^node/, 'n')}`;
  const address = network.address(o.last);
  await ip([
    `netns add ${netns}`,
    `link add name ${port} type veth peer name eth0 netns ${netns}`,
    `link set ${port} master ${network.bridge} up`,
  ]);
  await ip(
    [
      'link set lo up',
      `address add ${address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${network.gateway}`,
    ],
    netns,
  );
  return { netns, ip: address, port };
}

/** Tells the machine and every node where the pods of each node are; so nothing needs forwarding by the machine. */
export async function routePods(network: Network, nodes: readonly Host[]): Promise<void> {
  const routes = nodes.map((node, i) => ({ node, route: `${network.podCidrOf(i + 1)} via ${node.ip}` }));
  await ip(routes.map(({ route }) => `route add ${route}`));
  for (const node of nodes) {
    const others = routes.filter((r) => r.node !== node).map(({ route }) => `route add ${route}`);
    if (others.length > 0) await ip(others, node.netns);
  }
}

/** Cuts a host off, or joins it again: the end of its veth at the bridge goes down, as with a pulled cable. */
export const setPort = (host: Host, up: boolean): Promise<string> =>
  must('ip', ['link', 'set', host.port, up ? 'up' : 'down']);

/** Arguments of nsenter that run a command in a namespace; unlike `ip netns exec` it leaves /sys alone. */
export const inNetns = (netns: string, command: string, args: readonly string[]): string[] => [
  `--net=/run/netns/${netns}`,
  '--',
  command,
  ...args,
];

/** Runs a command to its end in a namespace. */
export const execIn = (netns: string, command: string, args: readonly string[]): Promise<Result> =>
  exec('nsenter', inNetns(netns, command, args));
