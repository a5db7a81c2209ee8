import type { BgpBackEnd } from '../bgp-set.ts';
import type { Reading } from '../draft.ts';
import type { Source, YamlFlavour } from '../source.ts';

/** For whom objects are rendered. */
export interface Target {
  /** The release: value of the owner label. */
  readonly instance: string;
  /** Where all rendered objects live. */
  readonly namespace: string;
  /** What is to speak BGP; native when absent. */
  readonly bgp?: BgpBackEnd;
}

/** One way in which people write down what a load balancer should do. */
export interface Dialect {
  /** Stable word: "kubespray-config". */
  readonly name: string;
  /** For messages: "Kubespray (metallb_config)". */
  readonly title: string;
  /** How the text is read once it is known to be this dialect. */
  readonly yaml: YamlFlavour;
  /** Of equal keys in one map its reader takes the last, and that is a warning here; absent: they are refused. */
  readonly duplicates?: 'last';
  /** Places of the values that nothing else has; none: this is another dialect. Total: the values may be anything. */
  evidence(values: unknown): readonly string[];
  /** Whether a root key is at home in this dialect's files, beside those that are evidence. */
  hasRoot?(root: string): boolean;
  /** Never throws: what is wrong is among the problems, all of it, each with its place in the source's own words. */
  read(source: Source, target: Target): Reading;
}
