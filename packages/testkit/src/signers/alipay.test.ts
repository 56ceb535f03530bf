import { verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createAlipaySigner } from './alipay.js';
import { alipaySignedBytes, encodeForm } from './alipay-wire.js';
import { generateRsaKeyPair } from './keys.js';
import type { SignedRequest } from './request.js';

const pair = generateRsaKeyPair();
let now = new Date('2026-11-23T08:00:00Z');
const signer = createAlipaySigner({
  privateKey: pair.privateKey,
  appId: '2021000000000001',
  sellerId: '2088000000000001',
  clock: () => now,
});
const payment = {
  orderNumber: 'T1',
  trade: '2026112322001',
  amount: 8888n,
  paidAt: new Date('2026-11-23T07:59:58Z'),
  notificationId: 'n1',
};
const refund = {
  ...payment,
  refundId: 'R1',
  refundAmount: 200n,
  refundedTotal: 300n,
  refundedAt: new Date('2026-11-23T08:30:00.250Z'),
  full: false,
};

/**
 * A separate implementation of the receiver: decode once, drop sign and sign_type, sort, verify.
 */
function opened(request: SignedRequest): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(request.body.toString('latin1')));
}
function verifies(request: SignedRequest, signedToo: string[] = []): boolean {
  const { sign = '', ...rest } = opened(request);
  const text = Object.keys(rest)
    .filter((name) => name !== 'sign_type' || signedToo.includes(name))
    .sort()
    .map((name) => `${name}=${rest[name]}`)
    .join('&');
  return verify('sha256', Buffer.from(text), pair.publicKey, Buffer.from(sign, 'base64'));
}

describe('the content of a notification', () => {
  test('a payment is TRADE_SUCCESS with the amount in yuan and Beijing time', () => {
    const sent = signer.payment(payment);
    expect(verifies(sent)).toBe(true);
    expect(sent.headers['content-type']).toBe('application/x-www-form-urlencoded; charset=utf-8');
    expect(opened(sent)).toMatchObject({
      notify_id: 'n1',
      notify_type: 'trade_status_sync',
      notify_time: '2026-11-23 16:00:00',
      app_id: '2021000000000001',
      seller_id: '2088000000000001',
      out_trade_no: 'T1',
      trade_no: '2026112322001',
      trade_status: 'TRADE_SUCCESS',
      total_amount: '88.88',
      gmt_payment: '2026-11-23 15:59:58',
      sign_type: 'RSA2',
    });
    expect(opened(sent)).not.toHaveProperty('refund_fee');
  });

  test('a partial refund stays TRADE_SUCCESS and states the running total', () => {
    const fields = opened(signer.refund(refund));
    expect(fields).toMatchObject({
      trade_status: 'TRADE_SUCCESS',
      total_amount: '88.88',
      refund_fee: '3.00',
      send_back_fee: '2.00',
      out_biz_no: 'R1',
      gmt_refund: '2026-11-23 16:30:00.250',
    });
    expect(fields).not.toHaveProperty('gmt_close');
  });

  test('a full refund closes the trade', () => {
    const sent = signer.refund({ ...refund, refundedTotal: 8888n, full: true });
    expect(verifies(sent)).toBe(true);
    expect(opened(sent)).toMatchObject({
      trade_status: 'TRADE_CLOSED',
      refund_fee: '88.88',
      gmt_close: '2026-11-23 16:30:00',
    });
  });

  test('an unpaid close carries no refund and no payment', () => {
    const fields = opened(signer.closed({ ...payment, closedAt: payment.paidAt }));
    expect(fields).toMatchObject({ trade_status: 'TRADE_CLOSED', total_amount: '88.88' });
    for (const name of ['refund_fee', 'gmt_refund', 'gmt_payment', 'buyer_pay_amount']) {
      expect(fields).not.toHaveProperty(name);
    }
  });

  test('finished and waiting trades have their own statuses', () => {
    expect(opened(signer.finished(payment))).toMatchObject({ trade_status: 'TRADE_FINISHED' });
    expect(opened(signer.waiting(payment))).toMatchObject({ trade_status: 'WAIT_BUYER_PAY' });
  });

  test('a platform message has msg_method and no trade', () => {
    const sent = signer.platformMessage({
      method: 'alipay.fund.trans.order.changed',
      content: { order_id: '1' },
    });
    expect(verifies(sent)).toBe(true);
    expect(opened(sent)).toMatchObject({
      msg_method: 'alipay.fund.trans.order.changed',
      biz_content: '{"order_id":"1"}',
      utc_timestamp: '1795420800000',
    });
    expect(opened(sent)).not.toHaveProperty('notify_type');
  });
});

describe('how it is signed', () => {
  test('changed fields, empty ones and blanks at the end are signed as they are', () => {
    const sent = signer.payment({
      ...payment,
      changes: [
        ['subject', ' 茶 a+b=c&d%20 '],
        ['body', ''],
      ],
    });
    expect(opened(sent)).toMatchObject({ subject: ' 茶 a+b=c&d%20 ', body: '' });
    expect(alipaySignedBytes(Object.entries(opened(sent))).toString()).toContain('&body=&');
    expect(verifies(sent)).toBe(true);
  });

  test('sign_type is not part of the signed text, unless the service signs it', () => {
    const fields = [
      ['notify_id', 'x'],
      ['notify_type', 'servicemarket_order_notify'],
    ] as const;
    expect(verifies(signer.fields(fields))).toBe(true);
    const other = signer.fields(fields, { signTypeIsSigned: true });
    expect(verifies(other)).toBe(false);
    expect(verifies(other, ['sign_type'])).toBe(true);
  });

  test('RSA signs with SHA-1', () => {
    const old = createAlipaySigner({
      privateKey: pair.privateKey,
      appId: 'a',
      sellerId: 's',
      signType: 'RSA',
    });
    const {
      sign = '',
      sign_type,
      ...rest
    } = opened(
      old.fields([
        ['b', '2'],
        ['a', '1'],
      ]),
    );
    expect([sign_type, rest]).toEqual(['RSA', { a: '1', b: '2' }]);
    const signature = Buffer.from(sign, 'base64');
    expect(verify('sha1', Buffer.from('a=1&b=2'), pair.publicKey, signature)).toBe(true);
  });

  test('GBK values are signed and sent as GBK bytes', () => {
    const gbk = createAlipaySigner({
      privateKey: pair.privateKey,
      appId: 'a',
      sellerId: 's',
      charset: 'GBK',
    });
    const sent = gbk.fields([['subject', '中文']]);
    const [, subject, sign = ''] = /^subject=(.*)&sign_type=RSA2&sign=(.*)$/.exec(
      sent.body.toString('latin1'),
    ) ?? ['', '', ''];
    expect(subject).toBe('%D6%D0%CE%C4');
    expect(sent.headers['content-type']).toBe('application/x-www-form-urlencoded; charset=GBK');
    const signed = Buffer.concat([Buffer.from('subject='), Buffer.from('d6d0cec4', 'hex')]);
    const signature = Buffer.from(decodeURIComponent(sign), 'base64');
    expect(verify('sha256', signed, pair.publicKey, signature)).toBe(true);
  });

  test('the form writes a blank as plus, and every other special byte as two capital hex digits', () => {
    expect(encodeForm([['k', ' +%&=/~é*.-_']]).toString()).toBe('k=+%2B%25%26%3D%2F%7E%C3%A9*.-_');
  });
});

describe('sending again and forging', () => {
  test('a re-send keeps the notification ID and changes time and signature only', () => {
    now = new Date('2026-11-23T08:00:00Z');
    const first = signer.payment(payment);
    now = new Date('2026-11-23T08:04:00Z');
    const second = signer.resend(first);
    const { notify_time, sign, ...rest } = opened(first);
    expect(opened(second)).toMatchObject({ ...rest, notify_time: '2026-11-23 16:04:00' });
    expect([notify_time, opened(second).sign === sign]).toEqual(['2026-11-23 16:00:00', false]);
    expect(verifies(second)).toBe(true);
  });

  test('a re-send within the same second differs too', () => {
    const first = signer.payment(payment);
    expect(signer.resend(first).body.equals(first.body)).toBe(false);
  });

  test('a foreign key signs the same fields', () => {
    const genuine = signer.payment(payment);
    const forged = signer.forge(genuine);
    const { sign: foreignSign, ...fields } = opened(forged);
    const { sign, ...genuineFields } = opened(genuine);
    expect(fields).toEqual(genuineFields);
    expect(foreignSign).not.toBe(sign);
    expect(verifies(forged)).toBe(false);
  });

  test('changed content is another amount with the genuine signature', () => {
    const genuine = signer.payment(payment);
    const forged = signer.forge(genuine, 'changed_content');
    expect(opened(forged)).toEqual({ ...opened(genuine), total_amount: '988.88' });
    expect(verifies(forged)).toBe(false);
  });
});
