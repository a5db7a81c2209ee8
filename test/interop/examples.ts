/** Histories that people meet, and that chance finds seldom. */
import type { Step } from './steps.ts';

const shared = { 'metallb.io/allow-shared-ip': 'k' };
const asking = (addresses: string) => ({ annotations: { 'metallb.io/loadBalancerIPs': addresses } });
const small = { addresses: ['192.0.2.0/30'] };
const dual = { addresses: ['192.0.2.0/30', '2001:db8::/126'] };

export const examples: Readonly<Record<string, readonly Step[]>> = {
  'a pool in use is renamed, shrinks and goes away': [
    { pool: 'open', spec: { addresses: ['192.0.2.0/29'] } },
    { service: 't1/a', sketch: {} },
    { service: 't2/d', sketch: asking('192.0.2.6') },
    // For a moment there are two pools with the same addresses, which is a mistake: the last good configuration stays.
    { pool: 'renamed', spec: { addresses: ['192.0.2.0/29'] } },
    { removePool: 'open' },
    { pool: 'renamed', spec: small },
    { removePool: 'renamed' },
  ],
  'an address goes from one pool to another': [
    { pool: 'open', spec: { addresses: ['192.0.2.0/29'] } },
    { service: 't1/a', sketch: asking('192.0.2.5') },
    { pool: 'manual', spec: { addresses: ['192.0.2.4/30'], autoAssign: false } },
    { pool: 'open', spec: small },
    { service: 't1/a', sketch: {} },
  ],
  'a Service changes its families and its type': [
    { pool: 'open', spec: dual },
    { service: 't1/a', sketch: {} },
    { service: 't1/a', sketch: { policy: 'PreferDualStack' } },
    { service: 't1/a', sketch: { policy: 'RequireDualStack' } },
    { pool: 'open', spec: small },
    { service: 't1/a', sketch: { policy: 'PreferDualStack' } },
    { pool: 'open', spec: dual },
    { service: 't1/a', sketch: {} },
    { service: 't1/a', sketch: { type: 'ClusterIP' } },
  ],
  'Services share an address and part again': [
    { pool: 'open', spec: small },
    { service: 't1/a', sketch: { annotations: shared } },
    { service: 't2/d', sketch: { ports: ['TCP/443'], annotations: shared } },
    { service: 't1/b', sketch: { ports: ['TCP/80'], annotations: shared } },
    { service: 't2/d', sketch: { ports: ['TCP/443'], annotations: shared, local: true } },
    { service: 't1/a', sketch: { annotations: shared, local: true } },
    { service: 't1/a', sketch: {} },
    { remove: 't1/b' },
  ],
  'people edit statuses and annotations that are not theirs': [
    { pool: 'open', spec: small },
    { pool: 'manual', spec: { addresses: ['192.0.2.8/30'], autoAssign: false } },
    { service: 't1/a', sketch: {} },
    { status: 't1/a', ingress: ['192.0.2.8'] },
    { status: 't1/a', ingress: ['203.0.113.9'] },
    { status: 't1/a', ingress: [] },
    { annotate: 't1/a', pool: 'bogus' },
    { annotate: 't1/a', pool: null },
  ],
  'the controller is away while things change': [
    { pool: 'open', spec: small },
    { service: 't1/a', sketch: {} },
    { service: 't1/b', sketch: {} },
    { restart: 'SIGKILL', meanwhile: [{ remove: 't1/a' }, { service: 't2/d', sketch: {} }] },
    { restart: 'SIGTERM', meanwhile: [{ pool: 'open', spec: { addresses: ['192.0.2.1/32'] } }] },
    { restart: 'SIGTERM', meanwhile: [{ removePool: 'open' }] },
  ],
  'a namespace is labelled, and a community is no community for a while': [
    {
      pool: 'pinned',
      spec: {
        addresses: ['192.0.2.12/31'],
        serviceAllocation: { priority: 10, namespaceSelectors: [{ matchLabels: { team: 'red' } }] },
      },
    },
    { service: 't1/a', sketch: {} },
    { namespace: 't1', team: 'red' },
    { community: 'nonsense' },
    { namespace: 't1', team: 'blue' },
    { community: null },
  ],
};
