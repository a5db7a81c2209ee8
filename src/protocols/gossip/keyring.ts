import { createHash } from 'node:crypto';

/**
 * AES-GCM, kept outside as a door: `sealed` is a nonce of 12 bytes, the ciphertext and a tag of 16. `data` is
 * authenticated with it. The key's length (16, 24 or 32 bytes) chooses the variant.
 */
export interface Cipher {
  /** With a nonce that was never used before. */
  seal(key: Uint8Array, plain: Uint8Array, data: Uint8Array): Uint8Array;
  /** Undefined when it was not sealed with this key and data. Takes any bytes. */
  open(key: Uint8Array, sealed: Uint8Array, data: Uint8Array): Uint8Array | undefined;
}

/** Version byte, nonce and tag. */
export const SEAL_OVERHEAD = 1 + 12 + 16;
const BLOCK = 16;
/** AES block-sized padding (PKCS#7) belongs to version 0; version 1 has none. */
const PADDED = 0;
const PLAIN = 1;

/**
 * MetalLB's key from the text of its Secret: `sha256.New().Sum(secret)[:32]`, which in Go is the secret followed by the
 * hash of nothing, cut to 32 bytes: no hash of the secret. Undefined for an empty one: no encryption.
 */
export function deriveKey(secret: Uint8Array): Uint8Array | undefined {
  if (secret.length === 0) return undefined;
  const key = new Uint8Array(32);
  key.set(secret.subarray(0, 32));
  if (secret.length < 32)
    key.set(
      createHash('sha256')
        .digest()
        .subarray(0, 32 - secret.length),
      secret.length,
    );
  return key;
}

/**
 * The keys of a ring: the first seals, all open. To change the key of a living ring, every member adds the new one,
 * then every member uses it, then every member removes the old one.
 */
export class Keyring {
  readonly #cipher: Cipher;
  #keys: readonly Uint8Array[] = [];

  /** Throws RangeError for a key that is not 16, 24 or 32 bytes long; so does `add`. */
  constructor(cipher: Cipher, keys: readonly Uint8Array[] = []) {
    this.#cipher = cipher;
    for (const key of keys) this.add(key);
  }

  /** Without keys nothing is encrypted. */
  get enabled(): boolean {
    return this.#keys.length > 0;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Opens with it from now on; the first key of all seals, too. Adding a known key does nothing. */
  add(key: Uint8Array): void {
    if (![16, 24, 32].includes(key.length)) throw new RangeError('a key has 16, 24 or 32 bytes');
    if (this.#find(key) === -1) this.#keys = [...this.#keys, key.slice()];
  }

  /** Seals with it from now on. False when it was not added. */
  use(key: Uint8Array): boolean {
    const at = this.#find(key);
    if (at === -1) return false;
    const [found] = this.#keys.slice(at, at + 1);
    if (found) this.#keys = [found, ...this.#keys.filter((_, i) => i !== at)];
    return true;
  }

  /** False for the key that seals and for an unknown one. */
  remove(key: Uint8Array): boolean {
    const at = this.#find(key);
    if (at < 1) return false;
    this.#keys = this.#keys.filter((_, i) => i !== at);
    return true;
  }

  /** As version 1; `plain` itself when there are no keys. */
  seal(plain: Uint8Array, data: Uint8Array): Uint8Array {
    const [key] = this.#keys;
    if (!key) return plain;
    const sealed = this.#cipher.seal(key, plain, data);
    const out = new Uint8Array(1 + sealed.length);
    out[0] = PLAIN;
    out.set(sealed, 1);
    return out;
  }

  /** Of version 0 or 1; undefined when no key opens it. */
  open(bytes: Uint8Array, data: Uint8Array): Uint8Array | undefined {
    const version = bytes[0];
    if (version === undefined || version > PLAIN || bytes.length < SEAL_OVERHEAD) return undefined;
    for (const key of this.#keys) {
      const plain = this.#cipher.open(key, bytes.subarray(1), data);
      if (plain) return version === PADDED ? unpad(plain) : plain;
    }
    return undefined;
  }

  #find(key: Uint8Array): number {
    return this.#keys.findIndex(
      (known) => known.length === key.length && known.every((b, i) => b === key[i]),
    );
  }
}

function unpad(padded: Uint8Array): Uint8Array | undefined {
  const count = padded.at(-1) ?? 0;
  if (count < 1 || count > BLOCK || count > padded.length) return undefined;
  return padded.subarray(0, padded.length - count);
}
