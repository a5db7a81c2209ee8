import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';

const NONCE = 12;
const TAG = 16;
const WITH_TAG = { authTagLength: TAG } as const;

/** Randomness for many nonces is fetched at once: a call costs more than the bytes. Each byte is used once. */
const pool = Buffer.alloc(128 * NONCE);
let used = pool.length;

function freshNonce(into: Buffer): void {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  pool.copy(into, 0, used, used + NONCE);
  used += NONCE;
}

interface Prepared {
  readonly key: KeyObject;
  readonly variant: CipherGCMTypes;
}

/** Making one costs more than sealing a packet, and there are few. A key that nobody holds any more is forgotten. */
const prepared = new WeakMap<Uint8Array, Prepared>();

function prepare(key: Uint8Array): Prepared {
  const known = prepared.get(key);
  if (known) return known;
  const made: Prepared = { key: createSecretKey(key), variant: variant(key) };
  prepared.set(key, made);
  return made;
}

/** AES in Galois/counter mode; the key's length (16, 24 or 32 bytes) chooses the variant. */
export const aesGcm = {
  /** A nonce of 12 random bytes, the ciphertext and a tag of 16. */
  seal(key: Uint8Array, plain: Uint8Array, data: Uint8Array): Uint8Array {
    const known = prepare(key);
    const out = Buffer.allocUnsafe(NONCE + plain.length + TAG);
    const nonce = out.subarray(0, NONCE);
    freshNonce(nonce);
    const cipher = createCipheriv(known.variant, known.key, nonce);
    if (data.length > 0) cipher.setAAD(data);
    cipher.update(plain).copy(out, NONCE);
    // GCM leaves nothing for the end but the tag.
    cipher.final();
    cipher.getAuthTag().copy(out, NONCE + plain.length);
    return out;
  },

  /** Undefined when it was not sealed with this key and data. Takes any bytes. */
  open(key: Uint8Array, sealed: Uint8Array, data: Uint8Array): Uint8Array | undefined {
    if (sealed.length < NONCE + TAG) return undefined;
    const known = prepare(key);
    const end = sealed.length - TAG;
    const cipher = createDecipheriv(known.variant, known.key, sealed.subarray(0, NONCE), WITH_TAG);
    if (data.length > 0) cipher.setAAD(data);
    cipher.setAuthTag(sealed.subarray(end));
    const plain = cipher.update(sealed.subarray(NONCE, end));
    try {
      cipher.final();
      return plain;
    } catch {
      return undefined;
    }
  },
};

function variant(key: Uint8Array): CipherGCMTypes {
  if (key.length === 16) return 'aes-128-gcm';
  return key.length === 24 ? 'aes-192-gcm' : 'aes-256-gcm';
}
