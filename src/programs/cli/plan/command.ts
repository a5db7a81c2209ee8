import { DecodeError } from '../../../domain/api/errors.ts';
import { isError } from '../../../domain/desired/source.ts';
import { readText } from '../../../platform/files/files.ts';
import { printYaml } from '../../../platform/files/print.ts';
import type { KubeClient } from '../../../platform/kube/client.ts';
import { targetOf } from '../check.ts';
import { type LoadOptions, load } from '../load/load.ts';
import { readAnnouncing } from '../why/cluster.ts';
import { readCluster } from './cluster.ts';
import { asMarkdown } from './markdown.ts';
import { pending } from './pending.ts';
import { exitCodeOf, type Planned, planFor } from './plan.ts';
import { objectsOf, snapshotOf, textOf } from './snapshot.ts';
import { asText } from './text.ts';

export const FORMATS = ['text', 'json', 'yaml', 'markdown'] as const;
export type Format = (typeof FORMATS)[number];

/** A snapshot of 10,000 Services is about 20 MiB. */
const LARGEST_SNAPSHOT = 256 * 1024 * 1024;

export interface PlanOptions extends LoadOptions {
  /** Herald's namespace; otherwise as the files tell, or metallb-system. */
  readonly namespace?: string;
  /** File that stands for the cluster. */
  readonly snapshot?: string;
  readonly output: Format;
  /** Connects on first use, so that a plan against a file needs no cluster. */
  readonly connect: () => Promise<KubeClient>;
}

/** Something that keeps a plan from being made; its message says what to do. */
export class CannotPlan extends Error {
  override readonly name = 'CannotPlan';
}

export interface Answer {
  readonly text: string;
  readonly exitCode: 0 | 1 | 2 | 3;
}

/**
 * What would happen if these paths were committed; without paths, what the cluster shows as planned. Throws CannotPlan, and what the
 * API server answers.
 */
export async function plan(paths: readonly string[], o: PlanOptions): Promise<Answer> {
  if (paths.length === 0) {
    const client = await o.connect();
    return answer(await pending(client, o.namespace ?? 'metallb-system'), o.output);
  }
  const { overlays, unreadable } = await load(paths, o);
  const [broken] = unreadable;
  if (broken) throw new CannotPlan(`${broken.file}: cannot be read: ${broken.reason}`);
  const meant = overlays.filter((overlay) => overlay.sources.length > 0 || overlay.problems.some(isError));
  const [overlay, second] = meant;
  if (!overlay) throw new CannotPlan(`${paths.join(', ')}: there is nothing for Herald in it`);
  if (second)
    throw new CannotPlan(
      `${overlay.title} and ${second.title} are overlays of two clusters: plan one at a time`,
    );
  const target = targetOf(overlay, o);
  const objects =
    o.snapshot === undefined
      ? await readCluster(await o.connect(), target.namespace)
      : await fromFile(o.snapshot);
  return answer(planFor(overlay, snapshotOf(objects, target.namespace), target), o.output);
}

/** The cluster as a file, for plans and explanations elsewhere. */
export async function snapshot(client: KubeClient, namespace: string): Promise<string> {
  const parts = await Promise.all([readCluster(client, namespace), readAnnouncing(client, namespace)]);
  return textOf(parts.flat());
}

/** The objects of a snapshot file. Throws CannotPlan. */
export async function fromFile(file: string): Promise<readonly unknown[]> {
  const text = await readText(file, { maxBytes: LARGEST_SNAPSHOT }).catch((e: unknown) => {
    throw new CannotPlan(`${file}: cannot be read: ${e instanceof Error ? e.message : String(e)}`);
  });
  try {
    return objectsOf(text);
  } catch (e) {
    if (!(e instanceof SyntaxError) && !(e instanceof DecodeError)) throw e;
    throw new CannotPlan(
      `${file}: is no snapshot; herald snapshot writes one, and so does kubectl get -o json`,
    );
  }
}

function answer(planned: Planned, format: Format): Answer {
  return { text: printed(planned, format), exitCode: exitCodeOf(planned) };
}

function printed(planned: Planned, format: Format): string {
  if (format === 'text') return `${asText(planned)}\n`;
  if (format === 'markdown') return `${asMarkdown(planned)}\n`;
  return format === 'json'
    ? `${JSON.stringify(planned, undefined, 2)}\n`
    : printYaml(JSON.parse(JSON.stringify(planned)), { head: [], at: new Map() });
}
