import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type EncryptionKeys,
  openWith,
  parseEncryptionKeys,
  sealedUnder,
  sealWith,
} from './encryption-keys.js';

const base64 = () => randomBytes(32).toString('base64');
const context = Buffer.from('of one endpoint');
const secret = randomBytes(32);

function parsed(text: string): EncryptionKeys {
  const keys = parseEncryptionKeys(text);
  if (typeof keys === 'string') throw new Error(keys);
  return keys;
}

describe('the setting', () => {
  test('is one key, as in earlier releases, or a list whose first key seals', () => {
    const [old, next] = [base64(), base64()];
    expect(parsed(old)).toEqual([{ id: null, key: Buffer.from(old, 'base64') }]);
    expect(parsed(`2027:${next}, ${old}`).map(({ id }) => id)).toEqual(['2027', null]);
  });

  test.each([
    ['', 'must be 32 random bytes'],
    ['a:', 'must be 32 random bytes'],
    [randomBytes(31).toString('base64'), 'must be 32 random bytes'],
    [`${base64()},`, 'must be 32 random bytes'],
    [`a b:${base64()}`, "a key's ID"],
    [`:${base64()}`, "a key's ID"],
    [`${'i'.repeat(33)}:${base64()}`, "a key's ID"],
    [`a:${base64()},a:${base64()}`, 'the same ID'],
    [`${base64()},${base64()}`, 'two have none'],
    [Array.from({ length: 21 }, (_, n) => `k${n}:${base64()}`).join(), 'at most 20 keys'],
  ])('%j is refused, and nothing of it is quoted', (text, why) => {
    const fault = parseEncryptionKeys(text);
    expect(fault).toContain(why);
    for (const part of text.split(/[:,]/)) if (part.length > 2) expect(fault).not.toContain(part);
  });
});

test('what an earlier release sealed opens with its key anywhere in the list', () => {
  const old = base64();
  const sealed = sealWith(parsed(old), context, secret);
  expect(sealedUnder(sealed)).toBeNull();
  expect(openWith(parsed(`new:${base64()},${old}`), context, sealed)).toEqual(secret);
  expect(openWith(parsed(`new:${base64()}`), context, sealed)).toBeNull();
});

test('a single key without an ID seals as earlier releases do', () => {
  const sealed = sealWith(parsed(base64()), context, secret);
  expect(sealed).toHaveLength(12 + secret.length + 16);
});

test('a key with an ID is found by it, and no other is tried', () => {
  const [one, other] = [base64(), base64()];
  const sealed = sealWith(parsed(`one:${one}`), context, secret);
  expect(sealedUnder(sealed)).toBe('one');
  expect(openWith(parsed(`other:${other},one:${one}`), context, sealed)).toEqual(secret);
  expect(openWith(parsed(`renamed:${one}`), context, sealed)).toBeNull();
  expect(openWith(parsed(`one:${other}`), context, sealed)).toBeNull();
  expect(openWith(parsed(`one:${one}`), Buffer.from('of another'), sealed)).toBeNull();
});

test('a nonce that begins like a key ID by chance hides nothing', () => {
  const keys = parsed(base64());
  const sealed = sealWith(keys, context, secret);
  const unlucky = Buffer.concat([Buffer.from('key:x:'), sealed]);
  expect(sealedUnder(unlucky)).toBe('x');
  expect(openWith(keys, context, unlucky)).toBeNull();
  expect(openWith(keys, context, sealed)).toEqual(secret);
});
