import { printYaml } from '../../../platform/files/print.ts';
import type { KubeClient } from '../../../platform/kube/client.ts';
import { type Answer, CannotPlan, fromFile } from '../plan/command.ts';
import { readAround } from './cluster.ts';
import { pictureOf } from './picture.ts';
import { asText } from './text.ts';
import { type WhyOptions, why } from './why.ts';

export const WHY_FORMATS = ['text', 'json', 'yaml'] as const;

export interface WhyCommand extends WhyOptions {
  /** Herald's own. */
  readonly namespace: string;
  /** File that stands for the cluster. */
  readonly snapshot?: string;
  readonly output: (typeof WHY_FORMATS)[number];
  /** Connects on first use. */
  readonly connect: () => Promise<KubeClient>;
}

/**
 * Explains the decision about a Service, "namespace/name" or a name in namespace default. Exit code 0: it has an address, or none is
 * due; 2: it waits for one. Throws CannotPlan, and what the API server answers.
 */
export async function whyOf(name: string, o: WhyCommand): Promise<Answer> {
  const key = name.includes('/') ? name : `default/${name}`;
  const around =
    o.snapshot === undefined
      ? await readAround(await o.connect(), key, o.namespace)
      : { objects: await fromFile(o.snapshot), endpoints: false };
  const found = why(pictureOf(around.objects, { ...around, ...o, key }), o);
  if (!found) throw new CannotPlan(`there is no Service ${key}`);
  return { text: printed(found, o.output), exitCode: found.state === 'Waiting' ? 2 : 0 };
}

function printed(found: NonNullable<ReturnType<typeof why>>, format: WhyCommand['output']): string {
  if (format === 'text') return `${asText(found)}\n`;
  return format === 'json'
    ? `${JSON.stringify(found, undefined, 2)}\n`
    : printYaml(JSON.parse(JSON.stringify(found)), { head: [], at: new Map() });
}
