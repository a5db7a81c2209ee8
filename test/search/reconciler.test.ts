import { afterAll, beforeAll, describe, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { client } from '../api/kube.rig.ts';
import { tell } from '../api/reconciler-model.rig.ts';
import { type ApiServer, available, startApiServer } from '../servers/index.ts';
import { COUNT, SEED } from './seed.ts';

const can = available('api');
/** A history takes as long as eight of the other cases. */
const count = Math.ceil(COUNT / 8);

describe.skipIf(can !== true)(
  `any history of the reconciler, seed ${SEED}${can === true ? '' : ` (${can})`}`,
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

    it(`takes no address away in ${count} random histories, and ends where a clean run ends`, {
      timeout: 0,
    }, async () => {
      const met = await tell({ api, kube, seed: SEED, count, shrink: true });
      console.log(`seed ${SEED}: ${count} histories; sources said ${[...met].toSorted().join(', ')}`);
    });
  },
);
