import { afterAll, beforeAll, describe, it } from 'vitest';
import { agree } from '../interop/agree.ts';
import { type Pair, startPair } from '../interop/pair.ts';
import { available } from '../servers/index.ts';
import { COUNT, SEED } from './seed.ts';

const can = available('upstream');
/** A history of some twenty steps takes as long as four of the other cases. */
const count = Math.ceil(COUNT / 4);

describe.skipIf(can !== true)(
  `Herald's controller against MetalLB's, seed ${SEED}${can === true ? '' : ` (${can})`}`,
  () => {
    let pair: Pair;
    beforeAll(async () => {
      pair = await startPair();
    });
    afterAll(() => pair?.close());

    it(`agrees in ${count} random histories`, { timeout: 0 }, async () => {
      console.log(await agree(pair, { seed: SEED, count, minLength: 10, maxLength: 24, shrink: true }));
    });
  },
);
