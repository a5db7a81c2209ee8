import { communityForm } from '../api/metallb/community.ts';
import type { Community } from '../api/metallb.ts';
import type { Problem } from '../api/problem.ts';
import { complaining } from './errors.ts';

/** Checks Community objects: values that are communities, names that are unique across all of them. */
export function checkCommunities(
  list: readonly Community[],
  problems: Problem[],
  o: { readonly allowLarge: boolean },
): void {
  const owner = new Map<string, string>();
  for (const community of list) {
    const object = `Community ${community.metadata.name}`;
    const complain = complaining(problems, object);
    for (const [index, { name = '', value = '' }] of (community.spec.communities ?? []).entries()) {
      const path = `spec.communities[${index}]`;
      const form = communityForm(value);
      if (form === undefined)
        complain('CommunityInvalid', `${path}.value`, `"${value}" is neither a:b nor large:a:b:c`);
      if (form === 'large' && !o.allowLarge)
        complain('LargeCommunityUnsupported', `${path}.value`, `native BGP cannot carry "${value}"`);
      const other = owner.get(name);
      if (other !== undefined)
        complain('CommunityDuplicate', `${path}.name`, `"${name}" is defined in ${other} too`);
      owner.set(name, other ?? object);
    }
  }
}
