import { createDecipheriv, createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { randomApiKey } from './keys.js';
import type { SignedRequest } from './request.js';
import { createWechatpayV2Signer, type WechatpayV2SignerOptions } from './wechatpay-v2.js';
import { wechatV2Sign, wechatV2SignedText, wechatV2Xml } from './wechatpay-v2-wire.js';

const apiKey = randomApiKey();
const options: WechatpayV2SignerOptions = {
  appId: 'wx0000000000000001',
  merchantId: '1900000001',
  apiKey,
};
const signer = createWechatpayV2Signer(options);
const payment = {
  orderNumber: 'T1',
  trade: '4200000001',
  amount: 8888n,
  paidAt: new Date('2026-11-23T07:59:58Z'),
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
function elements(xml: string): Record<string, string> {
  const found = xml.matchAll(/<(\w+)><!\[CDATA\[([\s\S]*?)\]\]><\/\1>/g);
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]));
}
function signText({ body }: SignedRequest): { text: string; sign: string | undefined } {
  const { sign, ...rest } = elements(body.toString());
  const pairs = Object.keys(rest)
    .sort()
    .filter((name) => rest[name] !== '')
    .map((name) => `${name}=${rest[name]}`);
  return { text: `${pairs.join('&')}&key=${apiKey}`, sign };
}
function verifiesHmac(request: SignedRequest): boolean {
  const { text, sign } = signText(request);
  return createHmac('sha256', apiKey).update(text).digest('hex').toUpperCase() === sign;
}
function decrypted({ body }: SignedRequest): string {
  const key = createHash('md5').update(apiKey).digest('hex');
  const sealed = Buffer.from(elements(body.toString()).req_info ?? '', 'base64');
  const opener = createDecipheriv('aes-256-ecb', key, null);
  return Buffer.concat([opener.update(sealed), opener.final()]).toString();
}

describe('the content of a notification', () => {
  test('a payment is signed with HMAC-SHA256 and states fen', () => {
    const sent = signer.payment(payment);
    expect(verifiesHmac(sent)).toBe(true);
    expect(elements(sent.body.toString())).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'SUCCESS',
      appid: 'wx0000000000000001',
      mch_id: '1900000001',
      out_trade_no: 'T1',
      transaction_id: '4200000001',
      total_fee: '8888',
      fee_type: 'CNY',
      time_end: '20261123155958',
      sign_type: 'HMAC-SHA256',
    });
  });

  test('an MD5 merchant gets 32 capital hex digits and no sign_type', () => {
    const md5 = createWechatpayV2Signer({ ...options, signType: 'MD5' });
    const sent = md5.payment({ ...payment, text: '茶 & <糖>' });
    const { text, sign } = signText(sent);
    expect(sign).toBe(createHash('md5').update(text).digest('hex').toUpperCase());
    expect(elements(sent.body.toString())).not.toHaveProperty('sign_type');
    expect(text).toContain('attach=茶 & <糖>&');
  });

  test('a failed payment has FAIL in result_code only', () => {
    const sent = signer.failed(payment);
    expect(verifiesHmac(sent)).toBe(true);
    expect(elements(sent.body.toString())).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'FAIL',
    });
  });

  test.each(['SUCCESS', 'CHANGE', 'REFUNDCLOSE'] as const)(
    'a refund (%s) is encrypted and carries no signature',
    (status) => {
      const sent = signer.refund({ ...refund, status });
      const outer = elements(sent.body.toString());
      expect(outer).toMatchObject({ return_code: 'SUCCESS', mch_id: '1900000001' });
      expect(outer).not.toHaveProperty('sign');
      expect(decrypted(sent)).toMatch(/^<root>\n[\s\S]*\n<\/root>$/);
      expect(elements(decrypted(sent))).toMatchObject({
        out_trade_no: 'T1',
        transaction_id: '4200000001',
        refund_id: '50300001',
        refund_status: status,
        total_fee: '8888',
        refund_fee: '200',
        success_time: status === 'SUCCESS' ? '2026-11-23 16:30:00' : '',
      });
    },
  );

  test('partner numbers are in payments and around refunds', () => {
    const partner = createWechatpayV2Signer({ ...options, subMerchantId: '1900000009' });
    for (const sent of [partner.payment(payment), partner.refund(refund)]) {
      expect(elements(sent.body.toString())).toMatchObject({ sub_mch_id: '1900000009' });
    }
  });
});

describe('how it is signed', () => {
  test('empty values and sign are left out, sign_type is signed', () => {
    const fields = [
      ['b', '2'],
      ['sign', 'x'],
      ['a', ''],
      ['sign_type', 'MD5'],
    ] as const;
    expect(wechatV2SignedText(fields, 'k')).toBe('b=2&sign_type=MD5&key=k');
    expect(wechatV2Sign(fields, 'k', 'MD5')).toBe(
      createHash('md5').update('b=2&sign_type=MD5&key=k').digest('hex').toUpperCase(),
    );
  });

  test('the end of a CDATA section inside a value does not end the section', () => {
    expect(wechatV2Xml([['a', 'x]]>y']])).toBe(
      '<xml>\n<a><![CDATA[x]]]]><![CDATA[>y]]></a>\n</xml>',
    );
  });
});

describe('sending again and forging', () => {
  test('a re-send changes nonce_str and sign only', () => {
    const first = signer.payment(payment);
    const second = signer.resend(first);
    const { nonce_str, sign, ...rest } = elements(first.body.toString());
    const again = elements(second.body.toString());
    expect(again).toMatchObject(rest);
    expect([again.nonce_str === nonce_str, again.sign === sign]).toEqual([false, false]);
    expect(verifiesHmac(second)).toBe(true);
  });

  test('a refund sent again keeps its encrypted part', () => {
    const first = signer.refund(refund);
    expect(decrypted(signer.resend(first))).toBe(decrypted(first));
  });

  test('a foreign key and changed content both break a payment', () => {
    const genuine = signer.payment(payment);
    expect(verifiesHmac(signer.forge(genuine))).toBe(false);
    expect(verifiesHmac(signer.forge(genuine, 'changed_content'))).toBe(false);
  });

  test('neither forgery of a refund decrypts to the end of its document', () => {
    const genuine = signer.refund(refund);
    for (const kind of ['foreign_key', 'changed_content'] as const) {
      const readable = (() => {
        try {
          return decrypted(signer.forge(genuine, kind)).endsWith('</root>');
        } catch {
          return false;
        }
      })();
      expect(readable).toBe(false);
    }
  });
});
