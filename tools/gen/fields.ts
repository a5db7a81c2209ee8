/** JSON schema as plain data. */
export type Json = Readonly<Record<string, unknown>>;

export function plain(value: unknown): Json {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** A keyword's value as text; nothing for one that is absent. */
export function text(value: unknown): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

/** One row of a reference table. */
export interface Field {
  readonly path: string;
  readonly type: string;
  readonly fallback: string;
  readonly about: string;
}

/** A schema's fields as rows, nested ones with their whole path; a list's items are `[]`, a map's are `.<name>`. */
export function fieldsBelow(path: string, schema: Json, required = false): readonly Field[] {
  const own: Field = {
    path,
    type: typeName(schema) + (required ? ', required' : ''),
    fallback: schema.default === undefined ? '' : code(JSON.stringify(schema.default)),
    about: [text(schema.description), ...limits(schema)].filter((part) => part !== '').join(' '),
  };
  return [own, ...children(path, schema)];
}

function children(path: string, schema: Json): readonly Field[] {
  if (isSelector(schema)) return [];
  const names = new Set([schema.required].flat());
  const properties = Object.entries(plain(schema.properties));
  const items = plain(schema.items);
  const entries = plain(schema.additionalProperties);
  if (properties.length > 0)
    return properties.flatMap(([key, field]) => fieldsBelow(`${path}.${key}`, plain(field), names.has(key)));
  if (items.properties !== undefined) return children(`${path}[]`, items);
  if (entries.properties !== undefined) return children(`${path}.<name>`, entries);
  return [];
}

function isSelector(schema: Json): boolean {
  const keys = Object.keys(plain(schema.properties));
  return keys.length === 2 && keys.includes('matchLabels') && keys.includes('matchExpressions');
}

function typeName(schema: Json): string {
  const types = [schema.type].flat().filter((type) => type !== 'null');
  if (Array.isArray(schema.enum))
    return schema.enum
      .filter((word) => word !== null)
      .map((w) => code(w))
      .join(', ');
  if (Array.isArray(schema.anyOf)) return 'whole number or text';
  if (isSelector(schema)) return 'selector';
  if (types.includes('array')) return `list of ${typeName(plain(schema.items))}`;
  if (plain(schema.additionalProperties).type !== undefined)
    return `map to ${typeName(plain(schema.additionalProperties))}`;
  const words: Json = { string: 'text', boolean: 'true or false', integer: 'whole number', object: 'map' };
  return text(words[text(types[0])] ?? 'anything');
}

function limits(schema: Json): readonly string[] {
  const { minimum, maximum } = schema;
  const rules = schema.properties === undefined ? schema['x-kubernetes-validations'] : undefined;
  return [
    minimum === undefined && maximum === undefined
      ? ''
      : `${text(minimum)} to ${text(maximum)}.`.replace(/ to \.$/, ' or more.'),
    ...(Array.isArray(rules) ? rules.map((rule) => `Rule: ${text(plain(rule).message)}.`) : []),
  ];
}

export function tableOfFields(fields: readonly Field[]): string {
  const rows = fields.map(({ path, type, fallback, about }) => [code(path), type, fallback, about]);
  return table(['field', 'type', 'default', 'meaning'], rows);
}

/** A Markdown table; bars inside cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const code = (word: unknown) => `\`${text(word)}\``;
