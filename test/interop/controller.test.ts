import { afterAll, beforeAll, describe, it } from 'vitest';
import { available } from '../servers/index.ts';
import { agree } from './agree.ts';
import { corners } from './corners.ts';
import { examples } from './examples.ts';
import { type Pair, startPair } from './pair.ts';

const can = available('upstream');
const seed = 20261;

describe.skipIf(can !== true)(`MetalLB's controller and Herald's${can === true ? '' : ` (${can})`}`, () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(() => pair?.close());

  it.each(Object.entries({ ...examples, ...corners }))('agree when %s', async (_, steps) => {
    await agree(pair, { seed, count: 0, minLength: 0, maxLength: 0, examples: [steps], shrink: false });
  });

  it(`agree on statuses, annotations and Events of random histories, seed ${seed}`, async () => {
    console.log(await agree(pair, { seed, count: 6, minLength: 8, maxLength: 12, shrink: false }));
  });
});
