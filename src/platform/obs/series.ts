/** What stands for one label value behind the next in a key; no value that we give holds it. */
const BETWEEN = '\0';
/** Characters of text that are given out at once: few enough to be made between two frames. */
const CHUNK = 16_384;

/**
 * The series of one counter or gauge, a number by label values. With ten thousand addresses there are as many series of some
 * metrics: each is a single entry of a map here, and text only while somebody reads it.
 */
export class Series<L extends string> {
  readonly #name: string;
  readonly #head: string;
  readonly #labels: readonly L[];
  readonly #values = new Map<string, number>();

  constructor(d: {
    readonly name: string;
    readonly help: string;
    readonly type: 'counter' | 'gauge';
    readonly labels: readonly L[];
  }) {
    this.#name = d.name;
    this.#labels = d.labels;
    this.#head = `# HELP ${d.name} ${escaped(d.help)}\n# TYPE ${d.name} ${d.type}\n`;
    // Without labels there is one series, from the start.
    if (d.labels.length === 0) this.#values.set('', 0);
  }

  set(labels: Readonly<Record<L, string>>, value: number): void {
    this.#values.set(this.#key(labels), value);
  }

  inc(labels: Readonly<Record<L, string>>, by: number): void {
    const key = this.#key(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + by);
  }

  remove(labels: Readonly<Record<L, string>>): void {
    this.#values.delete(this.#key(labels));
  }

  /** The exposition text, in pieces of whole lines. Series that come and go between two pieces may be missed or there. */
  *text(): Generator<string, void, void> {
    let text = this.#head;
    for (const [key, value] of this.#values) {
      text += `${this.#name}${this.#labelText(key)} ${printed(value)}\n`;
      if (text.length < CHUNK) continue;
      yield text;
      text = '';
    }
    yield text;
  }

  /** The value itself where there is one label: mostly somebody else's text. */
  #key(labels: Readonly<Record<L, string>>): string {
    const [only, ...more] = this.#labels;
    if (only === undefined) return '';
    return more.length === 0 ? labels[only] : this.#labels.map((name) => labels[name]).join(BETWEEN);
  }

  #labelText(key: string): string {
    if (this.#labels.length === 0) return '';
    const values = key.split(BETWEEN);
    return `{${this.#labels.map((name, i) => `${name}="${escaped(values[i] ?? '').replaceAll('"', '\\"')}"`).join()}}`;
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** As Prometheus reads it. */
function printed(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
