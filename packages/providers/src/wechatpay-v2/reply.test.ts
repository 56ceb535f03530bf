import { expect, test } from 'vitest';
import type { ReceiveOutcome } from '../provider.js';
import { reply } from './reply.js';

test('an accepted request gets exactly the bytes that WeChat documents', () => {
  expect(reply({ outcome: 'accepted' })).toEqual({
    status: 200,
    contentType: 'text/xml',
    body: '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>',
  });
});

test.each<[ReceiveOutcome, number]>([
  [{ outcome: 'rejected', reason: 'malformed' }, 400],
  [{ outcome: 'rejected', reason: 'not_a_notification' }, 400],
  [{ outcome: 'rejected', reason: 'bad_signature' }, 401],
  [{ outcome: 'rejected', reason: 'unknown_key' }, 401],
  [{ outcome: 'rejected', reason: 'undecryptable' }, 401],
  [{ outcome: 'unknown_channel' }, 404],
  [{ outcome: 'refused', status: 413 }, 413],
  [{ outcome: 'unavailable' }, 503],
])('every failure has the same body: %j → %i', (outcome, status) => {
  expect(reply(outcome)).toEqual({
    status,
    contentType: 'text/xml',
    body: '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>',
  });
});
