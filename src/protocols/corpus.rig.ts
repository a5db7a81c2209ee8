import fc from 'fast-check';

/** One change; positions count in 1/65536 of the length, so that a shorter input in between does not matter. */
type Change = (bytes: Uint8Array, corpus: readonly Uint8Array[]) => Uint8Array;

const place = fc.nat(65_535);
const where = (bytes: Uint8Array, at: number) => Math.floor((at * bytes.length) / 65_536);
interface Splice {
  readonly remove?: number;
  readonly add: Iterable<number>;
}
const splice = (bytes: Uint8Array, at: number, { remove = 0, add }: Splice) =>
  Uint8Array.from([...bytes.subarray(0, at), ...add, ...bytes.subarray(at + remove)]);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([at, byte]): Change =>
      (bytes) => {
        const changed = Uint8Array.from(bytes);
        if (changed.length > 0) changed[where(bytes, at)] = byte;
        return changed;
      },
  ),
  // Numbers that lie about lengths.
  fc.tuple(place, fc.constantFrom([0, 0], [0x7f, 0xff], [0x80, 0], [0xff, 0xff])).map(
    ([at, pair]): Change =>
      (bytes) =>
        splice(bytes, where(bytes, at), { remove: 2, add: pair }),
  ),
  place.map(
    (at): Change =>
      (bytes) =>
        bytes.slice(0, where(bytes, at)),
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 40 })).map(
    ([at, add]): Change =>
      (bytes) =>
        splice(bytes, where(bytes, at), { add }),
  ),
  // Another one of the corpus from here on, or in here.
  fc.tuple(place, fc.nat(), fc.boolean()).map(
    ([at, which, instead]): Change =>
      (bytes, corpus) =>
        splice(bytes, where(bytes, at), {
          remove: instead ? bytes.length : 0,
          add: corpus[which % corpus.length] ?? bytes,
        }),
  ),
  // As long as a jumbo frame.
  fc.tuple(fc.integer({ min: 1, max: 9_000 }), fc.nat(255)).map(
    ([length, byte]): Change =>
      (bytes) =>
        splice(bytes, bytes.length, { add: new Uint8Array(length).fill(byte) }),
  ),
);

/** Inputs made of good ones by a few changes each, at most 20,000 bytes: what damage, attackers and other versions leave of them. */
export function mutated(corpus: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...corpus), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([base, changes]) => changes.reduce((bytes, each) => each(bytes, corpus), base).slice(0, 20_000));
}
