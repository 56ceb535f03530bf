import { expect, test } from 'vitest';
import { reply } from './reply.js';

test('acceptance is 204 without a body', () => {
  expect(reply({ outcome: 'accepted' })).toEqual({ status: 204, contentType: null, body: '' });
});

test.each([
  [{ outcome: 'rejected', reason: 'malformed' }, 400],
  [{ outcome: 'rejected', reason: 'not_a_notification' }, 400],
  [{ outcome: 'rejected', reason: 'bad_signature' }, 401],
  [{ outcome: 'rejected', reason: 'signature_probe' }, 401],
  [{ outcome: 'rejected', reason: 'unknown_key' }, 401],
  [{ outcome: 'rejected', reason: 'stale' }, 401],
  [{ outcome: 'rejected', reason: 'undecryptable' }, 401],
  [{ outcome: 'unknown_channel' }, 404],
  [{ outcome: 'refused', status: 405 }, 405],
  [{ outcome: 'refused', status: 413 }, 413],
  [{ outcome: 'refused', status: 415 }, 415],
  [{ outcome: 'unavailable' }, 503],
] as const)('a rejection tells nothing but its status: %o is %i', (outcome, status) => {
  expect(reply(outcome)).toEqual({
    status,
    contentType: 'application/json',
    body: '{"code":"FAIL","message":"not accepted"}',
  });
});
