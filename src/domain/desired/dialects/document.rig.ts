/** Pages of other products' documentation, flattened to lines without indentation; not a part of this repository. */
import { existsSync, readFileSync } from 'node:fs';

const DOCUMENTS = new URL('../../../../../shared/documents/', import.meta.url);
export const haveDocuments = existsSync(DOCUMENTS);

/** Whether the page holds the example, white space apart. */
export function shows(page: string, example: string): boolean {
  const flat = (text: string) => text.replace(/\s+/g, ' ').trim();
  return flat(readFileSync(new URL(page, DOCUMENTS), 'utf8')).includes(flat(example));
}
