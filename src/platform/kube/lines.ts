/** Splits a byte stream into the JSON documents of its lines: the framing of a Kubernetes watch. */

/** etcd refuses objects over 1.5 MB; a line beyond this is not a watch event but something gone wrong. */
const LONGEST = 32 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Yields one parsed value a line; blank lines are skipped. A last line without its newline was cut off by the connection and
 * is dropped: the caller resumes from the last version that it saw. Throws SyntaxError on a line that is no JSON.
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, void> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE, from); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      const part = bytes.subarray(from, end);
      const text = heldBytes === 0 ? part.toString('utf8') : Buffer.concat([...held, part]).toString('utf8');
      held = [];
      heldBytes = 0;
      from = end + 1;
      if (text.trim() !== '') yield JSON.parse(text) as unknown;
    }
    if (from < bytes.length) {
      // Copied: the stream may use its buffer again.
      held.push(Buffer.from(bytes.subarray(from)));
      heldBytes += bytes.length - from;
      if (heldBytes > LONGEST) throw new Error('a line of the watch is longer than any object can be');
    }
  }
}
