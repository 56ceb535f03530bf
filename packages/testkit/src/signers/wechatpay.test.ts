import { createDecipheriv, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateRsaKeyPair, randomApiKey } from './keys.js';
import type { SignedRequest } from './request.js';
import { createWechatpaySigner, type WechatpaySignerOptions } from './wechatpay.js';
import { asSignatureProbe } from './wechatpay-wire.js';

const pair = generateRsaKeyPair();
const apiV3Key = randomApiKey();
let now = new Date('2026-11-23T08:00:00Z');
const options: WechatpaySignerOptions = {
  appId: 'wx0000000000000001',
  merchantId: '1900000001',
  apiV3Key,
  privateKey: pair.privateKey,
  serial: '5157F09EFDC096DE15EBE81A47057A7200000000',
  clock: () => now,
};
const signer = createWechatpaySigner(options);
const payment = {
  orderNumber: 'T1',
  trade: '4200000001',
  amount: 8888n,
  paidAt: new Date('2026-11-23T07:59:58Z'),
  notificationId: 'n1',
};
const refund = {
  ...payment,
  refundId: '50300001',
  refundAmount: 200n,
  refundedTotal: 300n,
  refundedAt: new Date('2026-11-23T08:30:00Z'),
  full: false,
};

/** A separate implementation of the receiver. */
function verifies({ body, headers }: SignedRequest): boolean {
  const head = `${headers['wechatpay-timestamp']}\n${headers['wechatpay-nonce']}\n`;
  const message = Buffer.concat([Buffer.from(head), body, Buffer.from('\n')]);
  const signature = Buffer.from(headers['wechatpay-signature'] ?? '', 'base64');
  return verify('sha256', message, pair.publicKey, signature);
}
function decrypted({ body }: SignedRequest): unknown {
  const { resource } = JSON.parse(body.toString());
  const sealed = Buffer.from(resource.ciphertext, 'base64');
  const opener = createDecipheriv('aes-256-gcm', apiV3Key, resource.nonce, { authTagLength: 16 });
  opener.setAAD(Buffer.from(resource.associated_data));
  opener.setAuthTag(sealed.subarray(-16));
  const plain = Buffer.concat([opener.update(sealed.subarray(0, -16)), opener.final()]);
  return JSON.parse(plain.toString());
}

describe('the content of a notification', () => {
  test('a payment is TRANSACTION.SUCCESS with the amount in fen inside the encrypted resource', () => {
    const sent = signer.payment(payment);
    expect(verifies(sent)).toBe(true);
    expect(JSON.parse(sent.body.toString())).toMatchObject({
      id: 'n1',
      create_time: '2026-11-23T16:00:00+08:00',
      event_type: 'TRANSACTION.SUCCESS',
      resource_type: 'encrypt-resource',
      resource: { original_type: 'transaction', algorithm: 'AEAD_AES_256_GCM' },
    });
    expect(decrypted(sent)).toMatchObject({
      appid: 'wx0000000000000001',
      mchid: '1900000001',
      out_trade_no: 'T1',
      transaction_id: '4200000001',
      trade_state: 'SUCCESS',
      success_time: '2026-11-23T15:59:58+08:00',
      amount: { total: 8888, payer_total: 8888, currency: 'CNY' },
    });
    expect(sent.body.toString()).not.toContain('8888');
  });

  test.each(['SUCCESS', 'CLOSED', 'ABNORMAL'] as const)(
    'a refund can end as %s, and tells this refund alone',
    (status) => {
      const sent = signer.refund({ ...refund, status });
      expect(JSON.parse(sent.body.toString()).event_type).toBe(`REFUND.${status}`);
      expect(decrypted(sent)).toMatchObject({
        mchid: '1900000001',
        transaction_id: '4200000001',
        refund_id: '50300001',
        refund_status: status,
        amount: { total: 8888, refund: 200 },
      });
    },
  );

  test('a combined payment lists its orders with separate field names', () => {
    const sent = signer.combined({
      combinedOrderNumber: 'C1',
      paidAt: payment.paidAt,
      orders: [
        { orderNumber: 'A', trade: '1', amount: 100n },
        { orderNumber: 'B', trade: '2', amount: 250n, merchantId: '1900000002' },
      ],
    });
    expect(verifies(sent)).toBe(true);
    expect(decrypted(sent)).toMatchObject({
      combine_out_trade_no: 'C1',
      combine_mchid: '1900000001',
      sub_orders: [
        { mchid: '1900000001', out_trade_no: 'A', amount: { total_amount: 100 } },
        { mchid: '1900000002', out_trade_no: 'B', amount: { total_amount: 250 } },
      ],
    });
  });

  test('in partner mode the merchants have the partner field names', () => {
    const partner = createWechatpaySigner({ ...options, subMerchantId: '1900000009' });
    expect(decrypted(partner.payment(payment))).toMatchObject({
      sp_appid: 'wx0000000000000001',
      sp_mchid: '1900000001',
      sub_mchid: '1900000009',
    });
    expect(decrypted(partner.payment(payment))).not.toHaveProperty('mchid');
    expect(decrypted(partner.refund(refund))).toMatchObject({
      sp_mchid: '1900000001',
      sub_mchid: '1900000009',
    });
  });

  test('an amount that JSON cannot carry exactly is refused', () => {
    expect(() => signer.payment({ ...payment, amount: 2n ** 53n })).toThrow(RangeError);
  });

  test('any event and any bytes can be signed', () => {
    const sent = signer.event({ eventType: 'PAYSCORE.USER_PAID', resource: { a: '\\/' } });
    expect([verifies(sent), decrypted(sent)]).toEqual([true, { a: '\\/' }]);
    expect(verifies(signer.bytes(Buffer.from([0xff, 0x00, 0x0a])))).toBe(true);
    expect(verifies(signer.bytes(Buffer.alloc(0)))).toBe(true);
  });
});

describe('sending again and forging', () => {
  test('a re-send has the same body with a fresh time, nonce and signature', () => {
    now = new Date('2026-11-23T08:00:00Z');
    const first = signer.payment(payment);
    now = new Date('2026-11-23T08:00:15Z');
    const second = signer.resend(first);
    expect(second.body.equals(first.body)).toBe(true);
    expect(second.headers['wechatpay-timestamp']).toBe('1795420815');
    expect(second.headers['wechatpay-nonce']).not.toBe(first.headers['wechatpay-nonce']);
    expect(verifies(second)).toBe(true);
  });

  test('a re-encrypted re-send has the same content in other bytes', () => {
    const first = signer.payment(payment);
    const second = signer.resend(first, { reencrypt: true });
    expect(second.body.equals(first.body)).toBe(false);
    expect([verifies(second), decrypted(second)]).toEqual([true, decrypted(first)]);
  });

  test('a foreign key signs the same body with the genuine serial', () => {
    const genuine = signer.payment(payment);
    const forged = signer.forge(genuine);
    expect(forged.body.equals(genuine.body)).toBe(true);
    expect(forged.headers['wechatpay-serial']).toBe(genuine.headers['wechatpay-serial']);
    expect(verifies(forged)).toBe(false);
  });

  test('changed content still parses and decrypts: only the signature reveals it', () => {
    const genuine = signer.payment(payment);
    const forged = signer.forge(genuine, 'changed_content');
    expect(decrypted(forged)).toEqual(decrypted(genuine));
    expect([verifies(genuine), verifies(forged)]).toEqual([true, false]);
  });

  test("a probe has WeChat's prefix", () => {
    const probe = asSignatureProbe(signer.payment(payment));
    expect(probe.headers['wechatpay-signature']).toMatch(/^WECHATPAY\/SIGNTEST\//);
    expect(verifies(probe)).toBe(false);
  });
});
