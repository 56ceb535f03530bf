import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSigned } from './webhook-signature.js';

/** The example of the specification's libraries: secret, ID, time, body and their signature. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const TIME = 1614265330;
const BODY = Buffer.from('{"test": 2432232314}');
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const GIVEN = { id: ID, timestamp: String(TIME), signature: SIGNATURE };
const AT = TIME * 1_000;

test('the published example is signed, alone and beside the signature of another secret', () => {
  expect(isSigned(SECRET, GIVEN, BODY, AT)).toBe(true);
  const two = `v1,${createHmac('sha256', 'other').digest('base64')} ${SIGNATURE}`;
  expect(isSigned(SECRET, { ...GIVEN, signature: two }, BODY, AT)).toBe(true);
});

test.each([
  ['no ID', { id: undefined }],
  ['no time', { timestamp: undefined }],
  ['no signature', { signature: undefined }],
  ['another ID', { id: 'msg_2' }],
  ['another time', { timestamp: String(TIME + 1) }],
  ['a time that is none', { timestamp: `${TIME}.0` }],
  ['another version of signatures', { signature: SIGNATURE.replace('v1', 'v2') }],
  ['half a signature', { signature: SIGNATURE.slice(0, 20) }],
])('with %s it is not', (_what, changes) => {
  expect(isSigned(SECRET, { ...GIVEN, ...changes }, BODY, AT)).toBe(false);
});

test('with other bytes, another secret, or a time more than five minutes off it is not', () => {
  expect(isSigned(SECRET, GIVEN, Buffer.from('{"test":2432232314}'), AT)).toBe(false);
  expect(isSigned(`${SECRET.slice(0, -4)}AAAA`, GIVEN, BODY, AT)).toBe(false);
  for (const seconds of [-301, 301]) {
    expect(isSigned(SECRET, GIVEN, BODY, AT + seconds * 1_000)).toBe(false);
  }
});
