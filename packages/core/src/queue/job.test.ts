import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodyOf, queuedBody } from './job.js';

const throughJson = (body: Buffer) => bodyOf(JSON.parse(JSON.stringify(queuedBody(body))));

test('any body leaves the queue with unchanged bytes', () => {
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

test('a text never contains characters that PostgreSQL refuses', () => {
  expect(queuedBody(Buffer.from('a=\0'))).not.toHaveProperty('bodyText');
  expect(queuedBody(Buffer.from([0xed, 0xa0, 0x80]))).not.toHaveProperty('bodyText');
});

test('a body in both forms, or in none, is null', () => {
  expect(bodyOf({})).toBeNull();
  expect(bodyOf({ bodyText: 'a', bodyBase64: 'YQ==' })).toBeNull();
});
