import type { Fields } from '@payonce/testkit/signers/request';
import { wechatV2Sign, wechatV2Xml } from '@payonce/testkit/signers/wechatpay-v2-wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channel, KEY, NOW, PAYEE, signer } from '../../test/wechatpay-v2.js';

const { verify, decode } = channel();

const NAMES = [
  'return_code',
  'result_code',
  'mch_id',
  'appid',
  'sub_mch_id',
  'sub_appid',
  'transaction_id',
  'out_trade_no',
  'total_fee',
  'fee_type',
  'time_end',
  'trade_state',
  'change_type',
  'contract_id',
  'contract_code',
  'attach',
  'refund_id',
  'refund_status',
  'refund_fee',
  'success_time',
  'nonce_str',
  'sign_type',
  '__proto__',
  'err_code',
] as const;
const WORDS = [
  '',
  'SUCCESS',
  'FAIL',
  'CHANGE',
  'REFUND',
  'NOTPAY',
  'HMAC-SHA256',
  'MD5',
  '1',
  '0',
  '-1',
  '1.5',
  '9'.repeat(40),
  'ADD',
  'CNY',
  '20261120000102',
  '99999999999999',
  '2026-11-20 00:01:02',
  PAYEE.merchantId,
  PAYEE.appId,
] as const;
const xmlText = fc
  .string({ unit: 'grapheme' })
  .map((text) => text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ''));
const fields: fc.Arbitrary<Fields> = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...NAMES), fc.oneof(fc.constantFrom(...WORDS), xmlText)),
  { selector: ([name]) => name },
);

test('arbitrary bytes are rejected and never throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' })), (bytes) => {
      expect(verify(Buffer.from(bytes as string)).ok).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

test('every message that the key’s owner signed or sealed is verified and decoded, or rejected, without a throw', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fields, fc.constantFrom('signed', 'refund'), (content, kind) => {
      const ids: Fields = [
        ['out_trade_no', 'A'],
        ['transaction_id', 'T'],
        ['refund_id', 'R'],
      ];
      const inner = new Map([...ids, ...content]);
      const { body } =
        kind === 'signed'
          ? signer.fields(content)
          : signer.reqInfo(wechatV2Xml([...inner], 'root'));
      const result = verify(body);
      if (!result.ok) return;
      accepted += 1;
      const [event, ...others] = decode(result.request);
      expect(others).toEqual([]);
      expect(['order', 'nothing', 'unsupported']).toContain(event?.kind);
      expect(result.notificationId.length).toBeLessThanOrEqual(128);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

test('a payment with any text in it is accepted, re-sent with the same ID and digest, and rejected when forged', () => {
  fc.assert(
    fc.property(xmlText, fc.bigInt({ min: 1n, max: 10n ** 15n }), (text, amount) => {
      const sent = signer.payment({ orderNumber: 'A-1', trade: '42', amount, paidAt: NOW, text });
      const [first, again] = [verify(sent.body), verify(signer.resend(sent).body)];
      if (!first.ok || !again.ok) return expect.fail('a genuine payment was rejected');
      expect([again.notificationId, again.digest]).toEqual([first.notificationId, first.digest]);
      expect(decode(first.request)).toMatchObject([{ kind: 'order', amount, payeeMatches: true }]);
      expect(verify(signer.forge(sent, 'foreign_key').body).ok).toBe(false);
      expect(verify(signer.forge(sent, 'changed_content').body).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('no text of a buyer’s choice in a signed address makes a notification, wherever it is cut', () => {
  const demanded = ['mch_id', 'out_trade_no', 'result_code', 'return_code', 'transaction_id'];
  const more = fc.subarray([
    'appid',
    'fee_type',
    'nonce_str',
    'sub_mch_id',
    'time_end',
    'total_fee',
  ]);
  fc.assert(
    fc.property(more, fc.constantFrom('d', 'n', 'notify_v', 'p', 'u', 'zz'), (others, dummy) => {
      const names = [...new Set([...demanded, ...others, dummy])].sort();
      const display = ['x', ...names.map((name) => `${name}=SUCCESS`)].join('&');
      const address: Fields = [
        ['appid', PAYEE.appId],
        ['contract_display_account', display],
        ['mch_id', PAYEE.merchantId],
        ['notify_url', 'https://shop.example/notify'],
        ['plan_id', '12'],
        ['timestamp', '1795152000'],
      ];
      const sign = wechatV2Sign(address, KEY, 'HMAC-SHA256');
      const parts = address
        .map(([name, value]) => `${name}=${value}`)
        .join('&')
        .split('&');
      // The field at `from` swallows everything up to `to`; the rest are separate fields.
      for (let from = 0; from < parts.length; from += 1) {
        for (let to = from + 1; to <= parts.length; to += 1) {
          const swallowing = parts.slice(from, to).join('&');
          const pairs = [...parts.slice(0, from), swallowing, ...parts.slice(to)].map((part) => {
            const at = part.indexOf('=');
            return [part.slice(0, at), part.slice(at + 1)] as const;
          });
          if (pairs.some(([name]) => name === '')) continue;
          const result = verify(Buffer.from(wechatV2Xml([...pairs, ['sign', sign]])));
          if (result.ok) expect.fail(JSON.stringify(pairs));
        }
      }
    }),
    { numRuns: 100 },
  );
});
