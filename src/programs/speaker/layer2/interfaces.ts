import type { Link } from '../../../platform/linux/netlink.ts';

/** Upstream's list of interfaces that never carry service addresses: those of containers, tunnels and proxies. */
export const EXCLUDED_BY_DEFAULT: readonly string[] = [
  '^docker.*',
  '^cbr.*',
  '^dummy.*',
  '^virbr.*',
  '^lxcbr.*',
  '^veth.*',
  '^lo$',
  '^cali.*',
  '^tunl.*',
  '^flannel.*',
  '^kube-ipvs.*',
  '^cni.*',
  '^nodelocaldns.*',
  '^lxc.*',
];

/** Says whether a name is excluded. */
export type Exclusion = (name: string) => boolean;

/**
 * One test for a list of regular expressions, any of which excludes. Go's syntax as far as JavaScript shares it, and
 * `(?i)` at the front. Returns what is wrong with the first bad one otherwise.
 */
export function exclusion(patterns: readonly string[]): Exclusion | { readonly error: string } {
  const expressions: RegExp[] = [];
  for (const pattern of patterns) {
    try {
      const folded = pattern.startsWith('(?i)');
      expressions.push(new RegExp(folded ? pattern.slice(4) : pattern, folded ? 'i' : ''));
    } catch {
      return { error: `"${pattern}" is not a regular expression` };
    }
  }
  return (name) => expressions.some((expression) => expression.test(name));
}

/** Interfaces that an advertisement may name: whatever their state, as upstream. */
export function selectable(links: Iterable<Link>, excluded: Exclusion): ReadonlySet<string> {
  return new Set([...links].map((link) => link.name).filter((name) => !excluded(name)));
}

/** Whether ARP is answered on it: Ethernet with ARP and broadcast. */
export function answersArp(link: Link, excluded: Exclusion): boolean {
  return link.broadcast && answers(link, excluded);
}

/** Whether neighbour discovery is answered on it: where the kernel itself takes IPv6. */
export function answersNdp(link: Link, excluded: Exclusion): boolean {
  return link.ipv6 && answers(link, excluded);
}

/** Switched on, no part of another interface, and Ethernet on which neighbours are asked for at all. */
function answers(link: Link, excluded: Exclusion): boolean {
  return link.up && link.master === undefined && !link.noArp && link.mac.length === 6 && !excluded(link.name);
}
