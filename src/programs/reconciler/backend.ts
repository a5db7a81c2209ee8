import type { Service } from '../../domain/api/core.ts';
import type { Built } from '../../domain/desired/build.ts';
import { isObject, type Json, toJson } from '../../domain/desired/json.ts';

/** What the applied values say about the programs that give and announce addresses. */
export interface BackEnd {
  /** Whether Herald's own controller gives the addresses: upstream's knows neither draining nor moving ranges. */
  readonly drains: boolean;
  /** spec.loadBalancerClass of the Services that are served; "" means those without one. Undefined: not known, any may be. */
  readonly loadBalancerClass: string | undefined;
  /** Whether speakers announce from nodes that are labelled against it. */
  readonly ignoreExclude: boolean;
}

/** Without a release there are no values: then the chart's defaults count. */
export const DEFAULT: BackEnd = { drains: true, loadBalancerClass: '', ignoreExclude: false };

/** Values that cannot be read say nothing: then nothing is promised, and every Service counts. */
export const UNKNOWN: BackEnd = { drains: false, loadBalancerClass: undefined, ignoreExclude: false };

/** Undefined while the values of the release cannot be read. What a source in another product's words sets goes over them. */
export function backEndOf({ source, settings, waiting }: Built): BackEnd | undefined {
  const values = waiting === undefined && source.values !== undefined ? toJson(source.values) : undefined;
  if (!isObject(values)) return undefined;
  const field = (...path: readonly string[]) => at(settings, path) ?? at(values, path);
  const named = field('loadBalancerClass');
  return {
    drains: field('controller', 'enabled') !== false,
    loadBalancerClass: typeof named === 'string' ? named : '',
    ignoreExclude: field('speaker', 'ignoreExcludeLB') === true,
  };
}

function at(json: Json | undefined, path: readonly string[]): Json | undefined {
  let value = json;
  for (const key of path) value = isObject(value) ? value[key] : undefined;
  return value;
}

export function serves({ loadBalancerClass }: BackEnd, { spec }: Service): boolean {
  if (spec.type !== 'LoadBalancer') return false;
  return loadBalancerClass === undefined || (spec.loadBalancerClass ?? '') === loadBalancerClass;
}

/** Knows the back end also while the values cannot be read: that does not change who serves whom. */
export class BackEnds {
  #last: { readonly built: Built; readonly backEnd: BackEnd } | undefined;

  /** `own`: the release's own source, if there is one; `operator`: that of the operator's objects, whose class goes over the chart's. */
  of(own: Built | undefined, operator?: Built): BackEnd {
    const named = operator?.settings?.loadBalancerClass;
    const backEnd = this.#own(own);
    return typeof named === 'string' ? { ...backEnd, loadBalancerClass: named } : backEnd;
  }

  #own(own: Built | undefined): BackEnd {
    if (!own) return DEFAULT;
    if (this.#last?.built !== own)
      this.#last = { built: own, backEnd: backEndOf(own) ?? this.#last?.backEnd ?? UNKNOWN };
    return this.#last.backEnd;
  }
}
