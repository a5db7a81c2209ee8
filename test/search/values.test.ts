import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFUSED, ValuesLab } from '../gitops/values.rig.ts';
import { available } from '../servers/index.ts';
import { COUNT, SEED } from './seed.ts';
import { valuesCases } from './values.cases.ts';

const can = available('flux');
const CASES = valuesCases({ seed: SEED, count: COUNT });

describe.skipIf(can !== true)(
  `values against the real helm-controller, seed ${SEED}${can === true ? '' : ` (${can})`}`,
  () => {
    let lab: ValuesLab;
    let names: readonly string[] = [];
    let refused = 0;

    beforeAll(async () => {
      lab = await ValuesLab.start({ workers: 12 });
      names = await lab.put(CASES);
    });
    afterAll(async () => {
      console.log(`seed ${SEED}: ${CASES.length} cases, of which Flux refuses ${refused}`);
      await lab?.stop();
    });

    for (const [i, c] of CASES.entries()) {
      it(`agrees on case ${i + 1}`, async () => {
        const { ours, theirs } = await lab.compare(names[i] ?? '', c.objects ?? {});
        if (theirs === REFUSED) refused++;
        expect(ours, JSON.stringify(c)).toEqual(theirs);
      });
    }
  },
);
