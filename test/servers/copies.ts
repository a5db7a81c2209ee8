/** Many Services in seconds. The server itself looks at all cluster addresses for each that it gives: 10,000 take it minutes. */
import { randomUUID } from 'node:crypto';
import type { ApiServer } from './apiserver.ts';

/** A Service by its name and, where its status has one, its only address. */
export interface Named {
  readonly name: string;
  readonly ip?: string | undefined;
}

/** Transactions under way at once. */
const PARALLEL = 32;

/**
 * Stores copies of a Service past the server, each as the server stored that one, with its own name, UID and, where `like` has them,
 * cluster address with its record, address, and EndpointSlice of the Service's name.
 */
export async function copyService(
  api: ApiServer,
  { namespace, like }: { readonly namespace: string; readonly like: Named },
  copies: readonly Named[],
): Promise<void> {
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const service = await stored(api, `/api/v1/namespaces/${namespace}/services/${like.name}`);
  const slice = await stored(api, `${slices}/${like.name}`);
  if (service === undefined) throw new Error(`no Service ${namespace}/${like.name}`);
  const clusterIp = /"clusterIP":"([^"]+)"/.exec(service)?.[1];
  const address = await stored(api, `/apis/networking.k8s.io/v1/ipaddresses/${clusterIp}`);
  const free = address === undefined ? undefined : freeAddresses(await usedAddresses(api));
  const rest = copies.values();
  const worker = async () => {
    for (const { name, ip } of rest) {
      const own = free?.next().value;
      const words = new Map([
        [like.name, name],
        [address && clusterIp, own],
        [like.ip, ip],
      ]);
      const copy = (text: string) =>
        text
          .replace(/"([^"\\]*)"/g, (quoted, word: string) => `"${words.get(word) ?? quoted.slice(1, -1)}"`)
          .replace(/"uid":"[^"]+"/, `"uid":"${randomUUID()}"`);
      await api.store({
        ...(address !== undefined && { [`ipaddresses/${own}`]: copy(address) }),
        [`services/specs/${namespace}/${name}`]: copy(service),
        ...(slice !== undefined && { [`endpointslices/${namespace}/${name}`]: copy(slice) }),
      });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/** An object as the server gives it, ready to be stored; undefined when there is none. */
async function stored(api: ApiServer, path: string): Promise<string | undefined> {
  const { status, body } = await api.get(path);
  return status === 200 ? body.replace(/"resourceVersion":"\d+",/, '').trimEnd() : undefined;
}

async function usedAddresses(api: ApiServer): Promise<ReadonlySet<string>> {
  const names = await api.kubectl('get', 'ipaddresses', '-o', 'jsonpath={.items[*].metadata.name}');
  return new Set(names.split(' '));
}

/** Of the service network, whose first 256 the server keeps for those who ask for one. */
function* freeAddresses(used: ReadonlySet<string>): Generator<string, undefined> {
  for (let i = 256; i < 1 << 17; i++) {
    const ip = `10.${96 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
    if (!used.has(ip)) yield ip;
  }
  return undefined;
}
