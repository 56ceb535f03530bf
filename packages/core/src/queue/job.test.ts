import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodyOf, queuedBody } from './job.js';

const throughJson = (body: Buffer) => bodyOf(JSON.parse(JSON.stringify(queuedBody(body))));

test('any body comes out of the queue as the bytes that went in', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ minLength: 1 }), fc.string({ minLength: 1 })), (some) => {
      const body = Buffer.from(some as Uint8Array);
      expect(throughJson(body)?.equals(body)).toBe(true);
    }),
  );
});

test.each([
  ['a byte order mark', Buffer.from('\ufeff{"a":1}')],
  ['NUL', Buffer.from('a=\0')],
  ['half of a character', Buffer.from([0xe4, 0xbb])],
  ['a surrogate that UTF-8 does not allow', Buffer.from([0xed, 0xa0, 0x80])],
  ['GBK', Buffer.from('c4e3bac3', 'hex')],
])('%s is kept', (_, body) => {
  expect(throughJson(body)).toEqual(body);
});

test('nothing that PostgreSQL refuses stands in a text', () => {
  expect(queuedBody(Buffer.from('a=\0'))).not.toHaveProperty('bodyText');
  expect(queuedBody(Buffer.from([0xed, 0xa0, 0x80]))).not.toHaveProperty('bodyText');
});

test('a body in both ways, or in none, is none', () => {
  expect(bodyOf({})).toBeNull();
  expect(bodyOf({ bodyText: 'a', bodyBase64: 'YQ==' })).toBeNull();
});
