import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

const NONCE = 12;
const TAG = 16;

/** Making one costs more than sealing a packet, and there are few. A key that nobody holds any more is forgotten. */
const prepared = new WeakMap<Uint8Array, KeyObject>();

function keyObject(key: Uint8Array): KeyObject {
  const known = prepared.get(key);
  if (known) return known;
  const made = createSecretKey(key);
  prepared.set(key, made);
  return made;
}

/** AES in Galois/counter mode; the key's length (16, 24 or 32 bytes) chooses the variant. */
export const aesGcm = {
  /** A nonce of 12 random bytes, the ciphertext and a tag of 16. */
  seal(key: Uint8Array, plain: Uint8Array, data: Uint8Array): Uint8Array {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(variant(key), keyObject(key), nonce);
    cipher.setAAD(data);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  },

  /** Undefined when it was not sealed with this key and data. Takes any bytes. */
  open(key: Uint8Array, sealed: Uint8Array, data: Uint8Array): Uint8Array | undefined {
    if (sealed.length < NONCE + TAG) return undefined;
    const cipher = createDecipheriv(variant(key), keyObject(key), sealed.subarray(0, NONCE), {
      authTagLength: TAG,
    });
    cipher.setAAD(data);
    cipher.setAuthTag(sealed.subarray(sealed.length - TAG));
    const plain = cipher.update(sealed.subarray(NONCE, sealed.length - TAG));
    try {
      cipher.final();
      return plain;
    } catch {
      return undefined;
    }
  },
};

function variant(key: Uint8Array): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  if (key.length === 16) return 'aes-128-gcm';
  return key.length === 24 ? 'aes-192-gcm' : 'aes-256-gcm';
}
