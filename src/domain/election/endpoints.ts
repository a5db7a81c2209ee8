import type { Endpoint, EndpointSlice } from '../api/core.ts';

/** Where a Service is served. */
export interface Serving {
  readonly anywhere: boolean;
  /** Nodes that host an endpoint which serves; endpoints without a node are nowhere. */
  readonly nodes: ReadonlySet<string>;
}

/** An endpoint that is terminating but still serves counts, as upstream. */
export function canServe(endpoint: Endpoint): boolean {
  return endpoint.ready !== false || endpoint.serving === true;
}

export function servingOf(slices: Iterable<EndpointSlice>): Serving {
  const nodes = new Set<string>();
  let anywhere = false;
  for (const slice of slices) {
    for (const endpoint of slice.endpoints) {
      if (!canServe(endpoint)) continue;
      anywhere = true;
      if (endpoint.nodeName !== undefined) nodes.add(endpoint.nodeName);
    }
  }
  return { anywhere, nodes };
}
