import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { EncryptionKeys } from './encryption-keys.js';
import { makeSecret, openSecret, parseSecret, sealSecret } from './secret.js';

const keys: EncryptionKeys = [{ id: null, key: randomBytes(32) }];
const owner = { merchant: 'tea', name: 'erp' };
const secret = randomBytes(32);

test('a generated secret is 32 random bytes in base64, and a different one each time', () => {
  const made = makeSecret();
  expect(made).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(parseSecret(made)).toHaveLength(32);
  expect(makeSecret()).not.toBe(made);
});

test.each([
  '',
  'whsec_',
  `whsec_${randomBytes(23).toString('base64')}`,
  `whsec_${randomBytes(65).toString('base64')}`,
  `whsec_${randomBytes(32).toString('hex')}!`,
  randomBytes(32).toString('base64'),
])('%j is no secret: too short, too long, or no base64', (text) => {
  expect(parseSecret(text)).toBeNull();
});

test('a sealed secret reveals nothing, and opens for its endpoint and key alone', () => {
  const sealed = sealSecret(keys, owner, secret);
  expect(sealed.includes(secret)).toBe(false);
  expect(sealSecret(keys, owner, secret)).not.toEqual(sealed);
  expect(openSecret(keys, owner, sealed)).toEqual(secret);
  expect(openSecret([{ id: null, key: randomBytes(32) }], owner, sealed)).toBeNull();
  expect(openSecret(keys, { ...owner, name: 'other' }, sealed)).toBeNull();
  expect(openSecret(keys, { ...owner, merchant: 'other' }, sealed)).toBeNull();
});

test('a sealed secret that was altered or cut does not open', () => {
  const sealed = sealSecret(keys, owner, secret);
  for (const place of sealed.keys()) {
    const changed = Buffer.from(sealed);
    changed[place] = (changed[place] ?? 0) ^ 1;
    expect(openSecret(keys, owner, changed)).toBeNull();
  }
  expect(openSecret(keys, owner, Buffer.alloc(0))).toBeNull();
  expect(openSecret(keys, owner, sealed.subarray(0, 20))).toBeNull();
});
