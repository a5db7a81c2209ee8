import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { list, object, str, type TypeOf } from '../schema.ts';
import { EMPTY_SPEC, type Empty, empty, GROUP } from './common.ts';

const spec = object(
  {
    communities: list(
      object(
        {
          name: str('Name that BGPAdvertisements may use.'),
          value: str('What it stands for: "65000:100", or "large:65000:1:2".'),
        },
        'A name for a BGP community.',
      ),
      'The aliases; each name once over all Community objects.',
    ),
  },
  'Names for BGP communities.',
);
const status = empty('Reserved.');

export const communityCrd: Crd = {
  group: GROUP,
  kind: 'Community',
  plural: 'communities',
  singular: 'community',
  versions: [
    {
      name: 'v1beta1',
      about:
        'Gives names to BGP communities, so that advertisements can speak of "no-export" instead of numbers.',
      storage: true,
      columns: [],
      spec,
      status,
    },
  ],
};

export type CommunitySpec = TypeOf<typeof spec>;
export type Community = Custom<CommunitySpec, Empty>;
export const Communities: Kind<Community> = customKind({
  crd: communityCrd,
  version: 'v1beta1',
  spec,
  status,
  emptySpec: EMPTY_SPEC,
});
export { spec as communitySpec };

/** `65000:100` (16 bits each) or `large:65000:1:2` (32 bits each); undefined for other text. */
export type CommunityForm = 'legacy' | 'large' | undefined;

/** Which form of BGP community a text is. Go's ParseUint takes leading zeros, and so do we. */
export function communityForm(text: string): CommunityForm {
  const [head = '', ...rest] = text.split(':');
  const within = (digits: string, limit: number) => /^\d+$/.test(digits) && Number(digits) <= limit;
  if (rest.length === 1) return [head, ...rest].every((part) => within(part, 0xffff)) ? 'legacy' : undefined;
  if (rest.length !== 3 || head !== 'large') return undefined;
  return rest.every((part) => within(part, 0xffff_ffff)) ? 'large' : undefined;
}
