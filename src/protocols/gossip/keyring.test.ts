import { describe, expect, it } from 'vitest';
import { aesGcm } from '../../platform/ring/cipher.ts';
import { hex } from './golden.rig.ts';
import { deriveKey, Keyring } from './keyring.ts';

const text = (s: string) => new TextEncoder().encode(s);
const OLD = text('o'.repeat(32));
const NEW = text('n'.repeat(32));
const DATA = text('label');

describe('the key', () => {
  // The SHA-256 of nothing begins with e3b0c44298fc1c149afb.
  it.each([
    ['abcdefghijklmnopqrstuv', `${hex(text('abcdefghijklmnopqrstuv'))}e3b0c44298fc1c149afb`],
    ['x', '78e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8'],
    ['0123456789abcdef0123456789abcdef', hex(text('0123456789abcdef0123456789abcdef'))],
    ['0123456789abcdef0123456789abcdef and more', hex(text('0123456789abcdef0123456789abcdef'))],
  ])('of %s is the secret and the hash of nothing, cut to 32 bytes', (secret, key) => {
    expect(hex(deriveKey(text(secret)) ?? new Uint8Array())).toBe(key);
  });

  it('is none when the secret is empty', () => {
    expect(deriveKey(new Uint8Array())).toBeUndefined();
  });
});

describe('a keyring', () => {
  it('changes its key in three steps, at each of which old and new members understand each other', () => {
    const one = new Keyring(aesGcm, [OLD]);
    const two = new Keyring(aesGcm, [OLD]);
    const agree = () => {
      for (const [from, to] of [
        [one, two],
        [two, one],
      ] as const) {
        expect(to.open(from.seal(text('hello'), DATA), DATA)).toEqual(Buffer.from('hello'));
      }
    };
    for (const ring of [one, two]) {
      ring.add(NEW);
      agree();
    }
    for (const ring of [one, two]) {
      expect(ring.use(NEW)).toBe(true);
      agree();
    }
    for (const ring of [one, two]) {
      expect(ring.remove(OLD)).toBe(true);
      agree();
    }
    expect(one.open(new Keyring(aesGcm, [OLD]).seal(text('hello'), DATA), DATA)).toBeUndefined();
  });

  it('keeps the key that seals, and knows no key that was not added', () => {
    const ring = new Keyring(aesGcm, [OLD]);
    expect([ring.use(NEW), ring.remove(NEW), ring.remove(OLD), ring.size]).toEqual([false, false, false, 1]);
    ring.add(OLD);
    expect(ring.size).toBe(1);
  });

  it('takes keys of AES only', () => {
    const ring = new Keyring(aesGcm);
    expect(() => ring.add(text('short'))).toThrow(RangeError);
    for (const length of [16, 24, 32]) ring.add(new Uint8Array(length));
    expect(ring.size).toBe(3);
  });

  it('leaves everything as it is without a key', () => {
    const ring = new Keyring(aesGcm);
    expect(ring.enabled).toBe(false);
    expect(ring.seal(DATA, DATA)).toBe(DATA);
    expect(ring.open(DATA, DATA)).toBeUndefined();
  });

  it('never reuses what makes two equal messages differ', () => {
    const ring = new Keyring(aesGcm, [NEW]);
    expect(ring.seal(DATA, DATA)).not.toEqual(ring.seal(DATA, DATA));
  });

  it('refuses a padding that is none', () => {
    // Version 0 pads to whole blocks: here the last byte claims 0, or more than there is.
    for (const last of [0, 17, 255]) {
      const padded = new Uint8Array(16).fill(last);
      const sealed = Uint8Array.of(0, ...aesGcm.seal(NEW, padded, DATA));
      expect(new Keyring(aesGcm, [NEW]).open(sealed, DATA)).toBeUndefined();
    }
  });
});
