import { randomApiKey } from '@payonce/testkit/signers/keys';
import { type Fields, withFields, withoutFields } from '@payonce/testkit/signers/request';
import { createWechatpayV2Signer } from '@payonce/testkit/signers/wechatpay-v2';
import { describe, expect, test } from 'vitest';
import { rejection, signedRejection } from '../../test/rejections.js';
import {
  channel,
  KEY,
  NOW,
  PAYEE,
  PAYMENT_FIELDS,
  payment,
  refund,
  type SignType,
  sign,
  signer,
} from '../../test/wechatpay-v2.js';

const { verify } = channel();

describe('a genuine payment result', () => {
  test.each<SignType>(['HMAC-SHA256', 'MD5'])(
    'signed with %s is accepted, sign_type stated or not',
    (signType) => {
      for (const statesSignType of [true, false]) {
        const own = createWechatpayV2Signer({ ...PAYEE, apiKey: KEY, signType, statesSignType });
        expect(channel(signType).verify(own.payment(payment).body)).toMatchObject({
          ok: true,
          authenticity: 'signed',
          notificationId: 'payment-4200000000000000000000000001-SUCCESS',
          digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          request: { message: { kind: 'payment' } },
          sentAt: null,
        });
      }
    },
  );

  test('is accepted with fields unknown today, coupons, empty values and any order of fields', () => {
    const fields: Fields = [
      ...PAYMENT_FIELDS,
      ['coupon_id_0', '10000'],
      ['coupon_fee_10', '1'],
      ['a_new_field', '<x>&amp;]]>'],
      ['device_info', ''],
    ];
    expect(verify(sign(fields)).ok).toBe(true);
    expect(verify(sign(fields.toReversed())).ok).toBe(true);
  });

  test('keeps notification ID and digest when it is sent again', () => {
    const first = signer.payment(payment);
    const again = signer.resend(first);
    expect(again.body.equals(first.body)).toBe(false);
    const [a, b] = [verify(first.body), verify(again.body)];
    expect(a.ok && b.ok && [a.notificationId, a.digest]).toEqual(
      b.ok && [b.notificationId, b.digest],
    );
    expect(a.ok).toBe(true);
  });

  test('has another digest when any other field changes, and the same in another order', () => {
    const digest = (fields: Fields) => {
      const result = verify(sign(fields));
      return result.ok ? result.digest : expect.fail(result.reason);
    };
    const original = digest(PAYMENT_FIELDS);
    expect(digest(PAYMENT_FIELDS.toReversed())).toBe(original);
    expect(digest([...PAYMENT_FIELDS, ['device_info', '']])).toBe(original);
    for (const [name, value] of PAYMENT_FIELDS) {
      if (value === '' || name === 'sign_type') continue;
      // Other values of these two make other messages.
      if (name === 'return_code' || name === 'result_code') continue;
      expect(digest(withFields(PAYMENT_FIELDS, [[name, `${value}9`]])), name).not.toBe(original);
    }
  });

  test('for another merchant number is accepted: a re-send cannot cure it', () => {
    expect(verify(sign(withFields(PAYMENT_FIELDS, [['mch_id', '1900000099']]))).ok).toBe(true);
  });
});

describe('an authentic failure', () => {
  test('is accepted with a separate ID', () => {
    expect(verify(signer.failed(payment).body)).toMatchObject({
      ok: true,
      notificationId: 'payment-4200000000000000000000000001-FAIL',
    });
  });

  test('without a transaction is known by its digest', () => {
    const result = verify(
      sign(withoutFields(withFields(PAYMENT_FIELDS, [['result_code', 'FAIL']]), 'transaction_id')),
    );
    expect(result.ok && result.notificationId).toBe(result.ok && `payment-${result.digest}`);
    expect(result.ok).toBe(true);
  });

  test('an ID too long to keep is replaced by the digest', () => {
    const result = verify(sign(withFields(PAYMENT_FIELDS, [['transaction_id', '4'.repeat(200)]])));
    expect(result.ok && result.notificationId).toBe(result.ok && `payment-${result.digest}`);
    expect(result.ok).toBe(true);
  });
});

describe('rotation of keys', () => {
  const [older, newer] = [randomApiKey(), randomApiKey()];
  const retiredAt = '2026-11-20T08:00:00Z';
  const rotated = channel('HMAC-SHA256', { [older]: retiredAt, [newer]: null }).verify;
  const before = new Date('2026-11-20T07:59:59.999Z');
  const sealed = (key: string) =>
    createWechatpayV2Signer({ ...PAYEE, apiKey: key }).refund(refund).body;

  test('both keys count while they overlap', () => {
    expect(rotated(sign(PAYMENT_FIELDS, 'HMAC-SHA256', older), before).ok).toBe(true);
    expect(rotated(sign(PAYMENT_FIELDS, 'HMAC-SHA256', newer), before).ok).toBe(true);
    expect(rotated(sealed(older), before).ok).toBe(true);
    expect(rotated(sealed(newer), before).ok).toBe(true);
  });

  test('a retired key counts only for requests received before', () => {
    expect(rotated(sign(PAYMENT_FIELDS, 'HMAC-SHA256', older), NOW)).toEqual(
      signedRejection('unknown_key'),
    );
    expect(rotated(sign(PAYMENT_FIELDS, 'HMAC-SHA256', newer), NOW).ok).toBe(true);
    expect(rotated(sealed(older), NOW)).toEqual(rejection('unknown_key'));
    expect(rotated(sealed(newer), NOW).ok).toBe(true);
  });
});

describe('deduction contracts', () => {
  const contract: Fields = [
    ['return_code', 'SUCCESS'],
    ['result_code', 'SUCCESS'],
    ['mch_id', PAYEE.merchantId],
    ['contract_code', '100001256'],
    ['plan_id', '123'],
    ['openid', 'onqOjjmM1tad-3ROpncN-yUfa6ua'],
    ['change_type', 'DELETE'],
    ['operate_time', '2026-11-20 16:00:00'],
    ['contract_id', '202611200000000001'],
    ['request_serial', '1695'],
  ];

  test('a signed change is kept, with an ID of contract and change', () => {
    expect(verify(sign(contract))).toMatchObject({
      ok: true,
      notificationId: 'contract-202611200000000001-DELETE',
      authenticity: 'signed',
      request: { message: { kind: 'contract' } },
    });
    expect(verify(sign(contract, 'HMAC-SHA256', randomApiKey()))).toEqual(
      rejection('bad_signature'),
    );
  });

  test('a failed deduction has a separate ID', () => {
    const deduction = withFields(PAYMENT_FIELDS, [
      ['trade_state', 'PAY_FAIL'],
      ['contract_id', '1'],
    ]);
    expect(verify(sign(deduction))).toMatchObject({
      ok: true,
      notificationId: 'payment-4200000000000000000000000001-PAY_FAIL',
    });
  });
});
