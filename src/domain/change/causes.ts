import type { Hurt } from './hurt.ts';
import type { Part } from './parts.ts';
import type { Subject } from './subject.ts';

/** A part of a write: by the object's id ("IPAddressPool web") and name. */
export interface PartOf {
  readonly id: string;
  readonly part: Part;
}

/** Why a part is put back, or would be. */
export interface Cause {
  /** Whom it would hurt, and how: of each aspect once. */
  readonly hurts: Map<Subject, Hurt[]>;
  /** Other reasons, in words. */
  readonly notes: Set<string>;
}

export const hurtsIn = ({ hurts }: Cause): readonly Hurt[] => [...hurts.values()].flat();

/** Parts of writes by object, each with its cause. */
export class Causes {
  readonly #all = new Map<string, Map<Part, Cause>>();

  get size(): number {
    return this.#all.size;
  }

  /** The parts of one object; none for an object without. */
  of(id: string): ReadonlyMap<Part, Cause> {
    return this.#all.get(id) ?? NONE;
  }

  has({ id, part }: PartOf): boolean {
    return this.of(id).has(part);
  }

  /** All hurts, some of them more than once. */
  hurts(): readonly Hurt[] {
    return [...this.#all.values()].flatMap((parts) => [...parts.values()].flatMap((cause) => hurtsIn(cause)));
  }

  /** Adds a part, with another reason if there is one; true when it was not there. */
  add({ id, part }: PartOf, why: Hurt | string | undefined): boolean {
    const parts = this.#all.get(id) ?? new Map<Part, Cause>();
    this.#all.set(id, parts);
    const known = parts.get(part);
    const cause: Cause = known ?? { hurts: new Map(), notes: new Set() };
    parts.set(part, cause);
    if (typeof why === 'string') cause.notes.add(why);
    else if (why) {
      const same = cause.hurts.get(why.subject);
      if (!same) cause.hurts.set(why.subject, [why]);
      else if (!same.some(({ aspect }) => aspect === why.aspect)) same.push(why);
    }
    return known === undefined;
  }
}

const NONE: ReadonlyMap<Part, Cause> = new Map();
