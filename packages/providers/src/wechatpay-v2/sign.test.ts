import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSignedBy, signatureOf, swallowsFields, textToSign } from './sign.js';

const fields = (values: Record<string, string>) => new Map(Object.entries(values));

test('names are sorted by ASCII, empty values and `sign` are left out, `sign_type` is not', () => {
  const message = fields({
    b: '2',
    sign_type: 'MD5',
    a10: '=&',
    a2: '中',
    B: '1',
    c: '',
    sign: 'x',
  });
  expect(textToSign(message)).toBe('B=1&a10==&&a2=中&b=2&sign_type=MD5');
});

test('both algorithms give the result of node:crypto for the text with the key', () => {
  const message = fields({ a: '中', b: '2' });
  expect(signatureOf(message, 'MD5', 'k')).toBe(
    createHash('md5').update('a=中&b=2&key=k').digest('hex').toUpperCase(),
  );
  expect(signatureOf(message, 'HMAC-SHA256', 'k')).toBe(
    createHmac('sha256', 'k').update('a=中&b=2&key=k').digest('hex').toUpperCase(),
  );
});

test('a missing, empty, lower-case or other algorithm’s signature is wrong', () => {
  const message = fields({ a: '1' });
  const good = signatureOf(message, 'MD5', 'k');
  const signed = (sign: string) => isSignedBy(new Map([...message, ['sign', sign]]), 'MD5', 'k');
  expect(signed(good)).toBe(true);
  expect(isSignedBy(message, 'MD5', 'k')).toBe(false);
  expect(signed('')).toBe(false);
  expect(signed(good.toLowerCase())).toBe(false);
  expect(signed(`${good} `)).toBe(false);
  expect(signed(signatureOf(message, 'HMAC-SHA256', 'k'))).toBe(false);
});

test('only a value that swallowed the fields behind it is suspicious', () => {
  expect(swallowsFields(fields({ z: '1&mch_id=1&notify_url=https://x' }))).toBe(true);
  expect(swallowsFields(fields({ z: '1&bank_type=CFT&mch_id=1&nonce_str=x' }))).toBe(true);
  expect(swallowsFields(fields({ attach: 'shop=1&mch_id=1&total_fee=5' }))).toBe(false);
  expect(swallowsFields(fields({ attach: 'a=1&notify_url=x&mch_id=1' }))).toBe(false);
});
