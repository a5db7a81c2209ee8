// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the subject.
import { type Path, pathText } from '../../api/check.ts';
import type { Finding } from '../source.ts';

/** Text in the place of a value that some tool was to put there. */
export interface Placeholder {
  /** As it may stand in a message: the name of a variable, never an expression or a default. */
  readonly name: string;
  /** How it is filled in. */
  readonly mend: string;
}

interface Form {
  readonly pattern: RegExp;
  /** Its name where it is more than a variable. */
  readonly short: string;
  readonly mend: string;
}

const SUBSTITUTE =
  'let the substitution run first (postBuild of the Flux Kustomization, envsubst, Terraform)';
const RENDER = 'render the template first (Helm, Ansible, Palette), and give the result';
const FILL = 'put the value there';

const FORMS: readonly Form[] = [
  { pattern: /\$\{[^}]*\}?/, short: '${…}', mend: SUBSTITUTE },
  { pattern: /\$\([\w.]+\)/, short: '$(…)', mend: SUBSTITUTE },
  { pattern: /\{\{.*?(\}\}|$)/s, short: '{{ … }}', mend: RENDER },
  { pattern: /\{%.*?(%\}|$)/s, short: '{% … %}', mend: RENDER },
  { pattern: /ENC\[.*?(\]|$)/s, short: 'ENC[…]', mend: 'decrypt it with SOPS first' },
  { pattern: /\$ANSIBLE_VAULT;.*/s, short: '!vault', mend: 'decrypt it with ansible-vault first' },
];

/** Passwords may well look like these; nothing else that is read here does. */
const LOOSE_FORMS: readonly Form[] = [
  { pattern: /\$[A-Za-z_]\w*/, short: '$…', mend: SUBSTITUTE },
  { pattern: /_+replaced?_+/i, short: '_replaced_', mend: FILL },
  { pattern: /<[A-Za-z][\w .:-]*>/, short: '<…>', mend: FILL },
];

/** The first placeholder in a text that is no password. */
export function placeholderIn(text: string): Placeholder | undefined {
  return [...FORMS, ...LOOSE_FORMS].map((form) => found(form, text)).find((p) => p !== undefined);
}

/** Odd characters are a matter of course in a password: it is a placeholder only as a whole. */
export function placeholderFor(password: string): Placeholder | undefined {
  return FORMS.map((form) => found(form, password)).find((p) => p?.text.trim() === password.trim());
}

function found({ pattern, short, mend }: Form, text: string): (Placeholder & { text: string }) | undefined {
  const match = pattern.exec(text)?.[0];
  return match === undefined ? undefined : { text: match, name: nameOf(match) ?? short, mend };
}

/** `${X:=10.0.0.0/8}` is named `${X}`. */
function nameOf(text: string): string | undefined {
  const [, variable] = /^\$\{([\w.]+)/.exec(text) ?? [];
  if (variable !== undefined) return `\${${variable}}`;
  const plain = /^(\$\w+|\$\([\w.]+\)|<[\w .:-]+>|\{\{-? *\.?[\w.]+ *-?\}\})$/;
  return plain.test(text) ? text : undefined;
}

/** Every text in a value that is a placeholder, each with its path. A field named `password` is judged as one. */
export function unrendered(value: unknown, path: Path): readonly Finding[] {
  if (typeof value === 'string') {
    const placeholder = path.at(-1) === 'password' ? placeholderFor(value) : placeholderIn(value);
    return placeholder ? [unrenderedAt(pathText(path), placeholder)] : [];
  }
  if (Array.isArray(value)) return value.flatMap((item: unknown, i) => unrendered(item, [...path, i]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => unrendered(item, [...path, key]));
}

/** path: in the words of the source. */
export function unrenderedAt(path: string, { name, mend }: Placeholder): Finding {
  return { code: 'Unrendered', path, message: `nothing has filled in the placeholder ${name}`, hint: mend };
}
