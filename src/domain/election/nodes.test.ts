import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../api/core.ts';
import { meta } from './field.rig.ts';
import { livenessByApi, livenessByRing, nodeView } from './nodes.ts';

const conditions = (...types: string[]) => types.map((type) => ({ type, status: 'True' as const }));

function node(types: readonly string[], labels: Record<string, string> = {}): Node {
  return {
    metadata: meta('a', { labels }),
    spec: { unschedulable: false },
    status: { conditions: conditions(...types) },
  };
}

function pod(o: { ready?: boolean; stopping?: boolean; phase?: string } = {}): Pod {
  return {
    metadata: meta('speaker', o.stopping ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    spec: { nodeName: 'a' },
    status: { phase: o.phase ?? 'Running', conditions: o.ready === false ? [] : conditions('Ready') },
  };
}

describe('what counts about a node', () => {
  it('is its network condition and the exclude label, whatever its value', () => {
    const view = (n: Node, ignoreExclude = false) => nodeView(n, { liveness: 'live', ignoreExclude });
    expect(view(node([]))).toMatchObject({ networkUnavailable: false, excluded: false });
    expect(view(node(['NetworkUnavailable'])).networkUnavailable).toBe(true);
    const labelled = node([], { 'node.kubernetes.io/exclude-from-external-load-balancers': '' });
    expect(view(labelled).excluded).toBe(true);
    expect(view(labelled, true).excluded).toBe(false);
  });

  it('takes a condition that is not True for absent', () => {
    const unknown: Node = {
      ...node([]),
      status: { conditions: [{ type: 'NetworkUnavailable', status: 'Unknown' }] },
    };
    expect(nodeView(unknown, { liveness: 'live', ignoreExclude: false }).networkUnavailable).toBe(false);
  });
});

describe('liveness by the API server', () => {
  it.each([
    ['live', node(['Ready']), [pod()]],
    ['live', node(['Ready']), undefined],
    ['node-not-ready', node([]), [pod()]],
    ['node-not-ready', node([]), undefined],
    ['no-speaker', node(['Ready']), []],
    ['no-speaker', node(['Ready']), [pod({ phase: 'Failed' }), pod({ phase: 'Succeeded' })]],
    ['speaker-not-ready', node(['Ready']), [pod({ ready: false })]],
    ['speaker-stopping', node(['Ready']), [pod({ stopping: true })]],
    ['speaker-not-ready', node(['Ready']), [pod({ stopping: true }), pod({ ready: false })]],
    ['live', node(['Ready']), [pod({ stopping: true }), pod()]],
  ] as const)('is %s', (expected, of, pods) => {
    expect(livenessByApi(of, pods)).toBe(expected);
  });
});

describe('liveness by the ring of speakers', () => {
  it.each([
    ['live', 'member', 'live'],
    // It answers, whatever kubelet says.
    ['live', 'member', 'node-not-ready'],
    ['live', 'member', 'speaker-not-ready'],
    ['live', 'member', 'no-speaker'],
    // Its Pod is being deleted: others take over before it is gone.
    ['speaker-stopping', 'member', 'speaker-stopping'],
    ['speaker-stopping', 'left', 'live'],
    ['speaker-dead', 'dead', 'live'],
    // The ring never heard of it: its port may be closed.
    ['live', undefined, 'live'],
    ['node-not-ready', undefined, 'node-not-ready'],
  ] as const)('is %s when the ring says %s and the API server %s', (expected, ring, byApi) => {
    expect(livenessByRing(ring, byApi)).toBe(expected);
  });
});
