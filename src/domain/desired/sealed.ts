/** Something that no log line, plan, Event or error may show: it prints as "(hidden)" wherever it is printed. */
export class Sealed<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** For the one place that sends it to the API server, and for comparing. */
  open(): T {
    return this.#value;
  }

  toJSON(): string {
    return '(hidden)';
  }

  toString(): string {
    return '(hidden)';
  }
}
