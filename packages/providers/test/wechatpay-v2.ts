import { randomApiKey } from '@payonce/testkit/signers/keys';
import type { Fields } from '@payonce/testkit/signers/request';
import { createWechatpayV2Signer } from '@payonce/testkit/signers/wechatpay-v2';
import {
  wechatV2Request,
  wechatV2Sign,
  wechatV2Xml,
} from '@payonce/testkit/signers/wechatpay-v2-wire';
import { wechatpayV2Settings } from '../src/wechatpay-v2/settings.js';
import { wechatpayV2 } from '../src/wechatpay-v2/wechatpay-v2.js';

/**
 * An API v2 channel, its requests, and the signer that plays WeChat: for the tests beside the
 * adapter.
 */

export type SignType = 'HMAC-SHA256' | 'MD5';
export const KEY = randomApiKey();
export const PAYEE = { appId: 'wx0000000000000001', merchantId: '1900000001' };
export const NOW = new Date('2026-11-20T08:00:00Z');
export const signer = createWechatpayV2Signer({ ...PAYEE, apiKey: KEY });

/** @param keys API key → time of retirement */
export function channel(
  signType: SignType = 'HMAC-SHA256',
  keys: Readonly<Record<string, string | null>> = { [KEY]: null },
) {
  const provider = wechatpayV2.create(
    wechatpayV2Settings.parse({
      merchantId: PAYEE.merchantId,
      appIds: [PAYEE.appId],
      signType,
      apiKeys: Object.entries(keys).map(([env, retiredAt]) => ({
        env,
        ...(retiredAt && { retiredAt }),
      })),
    }),
    (source) => ('env' in source ? source.env : ''),
  );
  return {
    decode: provider.decode,
    verify: (body: Buffer, receivedAt = NOW) => provider.verify({ body, headers: {}, receivedAt }),
  };
}

const order = { orderNumber: 'A-1', trade: '4200000000000000000000000001', amount: 8888n };
export const payment = { ...order, paidAt: NOW, text: '支付&测试=+%' };
export const refund = {
  ...order,
  refundId: '50000000000000000000000000001',
  refundAmount: 100n,
  refundedTotal: 100n,
  refundedAt: NOW,
  full: false,
};

/** The fields of a payment as WeChat signs them. */
export const PAYMENT_FIELDS: Fields = signer.payment(payment).content.fields;

/** Signs exactly these fields. */
export function sign(fields: Fields, signType: SignType = 'HMAC-SHA256', key = KEY): Buffer {
  return xml([...fields, ['sign', wechatV2Sign(fields, key, signType)]]);
}

/** Unchanged, signed or not. */
export function xml(fields: Fields): Buffer {
  return wechatV2Request(wechatV2Xml(fields)).body;
}
