/** A name that upstream's converter leaves as it is. */
const PLAIN = /^[a-z][-a-z0-9]{0,61}[a-z0-9]$/;

/**
 * The name that upstream's configmaptocrs gives an object: cut to 63 characters, lower case, "-" for "_", from the first letter on.
 * undefined when there is no letter. The result need not be a legal name.
 */
export function converted(name: string): string | undefined {
  if (PLAIN.test(name)) return name;
  const lower = name.slice(0, 63).toLowerCase().replaceAll('_', '-');
  const start = lower.search(/[a-z]/);
  return start < 0 ? undefined : lower.slice(start);
}
