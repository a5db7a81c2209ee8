import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type ApiServer, available, startApiServer } from '../servers/index.ts';
import { client } from './kube.rig.ts';
import { tell } from './reconciler-model.rig.ts';

const can = available('api');
/** `make search` tells more, from another seed each time. */
const COUNT = 12;

describe.skipIf(can !== true)(
  `any history of the reconciler on a real API server${can === true ? '' : ` (${can})`}`,
  () => {
    let api: ApiServer;
    let kube: KubeClient;

    beforeAll(async () => {
      api = await startApiServer();
      kube = await client(api.kubeconfig);
    });
    afterAll(async () => {
      await kube?.close();
      await api?.stop();
    });

    it('takes no address away, and ends where a clean run ends', { timeout: COUNT * 30_000 }, async () => {
      const met = await tell({ api, kube, seed: 20_260_101, count: COUNT, shrink: false });
      expect(met).toContain('Applied');
      // A history in which nothing ever waits proves little. How long each wait lasts is up to the machine, so one may be missing.
      const waits = ['HeldInUse', 'Draining', 'Moving', 'approved'].filter((wait) => met.has(wait));
      expect(waits.length).toBeGreaterThanOrEqual(3);
    });
  },
);
