import { encodeForm, signAlipayFields } from '@payonce/testkit/signers/alipay-wire';
import { generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import { type Fields, withFields } from '@payonce/testkit/signers/request';
import { sealReqInfo, wechatV2Sign, wechatV2Xml } from '@payonce/testkit/signers/wechatpay-v2-wire';
import { describe, expect, it } from 'vitest';
import { alipay } from './alipay/alipay.js';
import type { ContentRule, PaymentProvider } from './provider.js';
import { wechatpayV2 } from './wechatpay-v2/wechatpay-v2.js';

/** Names and digests of the previous release: computed by its code, fixed here. */

const pair = generateRsaKeyPair();
const KEY = '0'.repeat(32);
const alipayChannel = alipay.create(
  alipay.settings.parse({ appId: 'app', publicKeys: [{ env: 'KEY' }] }),
  () => pair.publicPem,
);
const wechatChannel = wechatpayV2.create(
  wechatpayV2.settings.parse({
    merchantId: '1900000001',
    appIds: ['wx1'],
    apiKeys: [{ env: 'KEY' }],
  }),
  () => KEY,
);

const notice = (fields: Fields) =>
  encodeForm(signAlipayFields(fields, { privateKey: pair.privateKey }));
const signed = (fields: Fields) =>
  Buffer.from(wechatV2Xml([...fields, ['sign', wechatV2Sign(fields, KEY, 'HMAC-SHA256')]]));
const sealed = (envelope: Fields, refund: Fields) =>
  Buffer.from(
    wechatV2Xml([...envelope, ['req_info', sealReqInfo(wechatV2Xml(refund, 'root'), KEY)]]),
  );

const ENVELOPE: Fields = [
  ['return_code', 'SUCCESS'],
  ['appid', 'wx1'],
  ['mch_id', '1900000001'],
  ['nonce_str', 'n'],
  ['note', 'x'],
];
const FOREIGN = withFields(ENVELOPE, [['mch_id', '1900000009']]);
const REFUND: Fields = [
  ['refund_id', '50'],
  ['refund_status', 'SUCCESS'],
  ['transaction_id', '42'],
  ['out_trade_no', 'A-1'],
  ['refund_fee', '1'],
  ['success_time', ''],
];

function verify(provider: PaymentProvider, body: Buffer, rule: ContentRule) {
  return provider.verify({ body, headers: {}, receivedAt: new Date() }, rule);
}

describe('the rule of the previous release', () => {
  it.each<[string, PaymentProvider, Buffer, notificationId: string, digest: string]>([
    [
      'an Alipay payment',
      alipayChannel,
      notice([
        ['notify_id', 'n-1'],
        ['notify_type', 'trade_status_sync'],
        ['notify_time', '2026-11-23 16:32:00'],
        ['out_trade_no', 'A-1'],
        ['total_amount', '88.80'],
        ['body', ''],
        ['subject', '中文 a+b & 100%'],
      ]),
      'n-1',
      '3cf3f99c4999eae4a73d3d927e5a989070fd4915c7cc53058247e996e1c9c637',
    ],
    [
      'a text that holds an amount',
      alipayChannel,
      notice([
        ['notify_id', 'n-2'],
        ['notify_type', 'trade_status_sync'],
        ['out_trade_no', 'A-1'],
        ['subject', 'x&total_amount=0.01'],
        ['total_amount', '88.80'],
      ]),
      'n-2',
      '1fd59cbf4d74f2c476959e3ca1961a3155277783b0ecffdf8f06719a7180e1d6',
    ],
    [
      'another cut of that text',
      alipayChannel,
      notice([
        ['notify_id', 'n-2'],
        ['notify_type', 'trade_status_sync'],
        ['out_trade_no', 'A-1'],
        ['subject', 'x'],
        ['total_amount', '0.01&total_amount=88.80'],
      ]),
      'n-2',
      '37131e7b76c4ed2cc66274b3b2c0bf01d668dd528a8134b7ef154ddb0909110e',
    ],
    [
      'a platform message',
      alipayChannel,
      notice([
        ['notify_id', 'm-1'],
        ['msg_method', 'a.b'],
        ['utc_timestamp', '1795152000000'],
        ['biz_content', '{"a":1}'],
      ]),
      'm-1',
      '211ba96fe6e45e296a5bbf66568f2db6087e6124195e6651e32d72d965362202',
    ],
    [
      'a v2 payment',
      wechatChannel,
      signed([
        ['return_code', 'SUCCESS'],
        ['result_code', 'SUCCESS'],
        ['appid', 'wx1'],
        ['mch_id', '1900000001'],
        ['nonce_str', 'n'],
        ['out_trade_no', 'A-1'],
        ['transaction_id', '42'],
        ['total_fee', '8888'],
        ['attach', ''],
        ['time_end', '20261120000102'],
      ]),
      'payment-42-SUCCESS',
      '60314dd8f807847e1d1001063a534d20aa18a0eea104847f6f27a8208ad72c97',
    ],
    [
      'a v2 failure without a transaction',
      wechatChannel,
      signed([
        ['return_code', 'SUCCESS'],
        ['result_code', 'FAIL'],
        ['mch_id', '1900000001'],
        ['out_trade_no', 'A-1'],
      ]),
      'payment-c899fbdcfd6d1265a035b25553d0c6801ee58aaed30e142c678dcec04681d2b0',
      'c899fbdcfd6d1265a035b25553d0c6801ee58aaed30e142c678dcec04681d2b0',
    ],
    [
      'a v2 contract',
      wechatChannel,
      signed([
        ['return_code', 'SUCCESS'],
        ['mch_id', '1900000001'],
        ['change_type', 'ADD'],
        ['contract_id', 'C-1'],
      ]),
      'contract-C-1-ADD',
      'deb3f19dcc71ce77bfc43a3c9a2d7703245238ccdc76e8c1fe471b220172fdfd',
    ],
    [
      'a v2 payment with a text that holds an amount',
      wechatChannel,
      signed([
        ['return_code', 'SUCCESS'],
        ['result_code', 'SUCCESS'],
        ['mch_id', '1900000001'],
        ['out_trade_no', 'A-1'],
        ['transaction_id', '42'],
        ['attach', 'x&total_fee=1'],
        ['sign_type', 'HMAC-SHA256'],
      ]),
      'payment-42-SUCCESS',
      '9cac2e49052046ee8df7cd50d7b3410f2f10fc56f0d09a92be1bf5cbd0f4b1ba',
    ],
    [
      'a v2 refund notice',
      wechatChannel,
      sealed(ENVELOPE, REFUND),
      'refund-50-SUCCESS',
      '006305a3ecb22568a63ed04c02a16ad3b7e1b322d14780cc871800871d8cb22b',
    ],
  ])(
    'names %s as it did, and what is verified today remembers that name',
    (_, provider, body, id, digest) => {
      expect(verify(provider, body, 'former')).toMatchObject({ notificationId: id, digest });
      const today = verify(provider, body, 'text');
      if (!today.ok) return expect.fail(today.reason);
      expect(provider.formerIdentity(today.request)).toEqual({ notificationId: id, digest });
      expect(today.digest).not.toBe(digest);
    },
  );

  it('accepts a refund notice in a foreign envelope, which is held: today it is rejected', () => {
    const body = sealed(FOREIGN, REFUND);
    const former = verify(wechatChannel, body, 'former');
    expect(former).toMatchObject({
      notificationId: 'refund-50-SUCCESS',
      digest: '2843ab2337bcf27b2cccfa9baa4dbe7cf181ad5a3fbb3d146fdb7100d934bcbf',
    });
    expect(verify(wechatChannel, body, 'text')).toEqual({
      ok: false,
      reason: 'foreign_envelope',
    });
  });

  it('rejects the same requests, and gives them no name', () => {
    const hidden: Fields = [
      ['app_id', 'app&notify_id=n-1'],
      ['notify_type', 'trade_status_sync'],
    ];
    expect(verify(alipayChannel, notice(hidden), 'former')).toMatchObject({ ok: false });
    const today = verify(alipayChannel, notice(hidden), 'text');
    if (!today.ok) return expect.fail(today.reason);
    expect(today.notificationId).toBe('n-1');
    expect(alipayChannel.formerIdentity(today.request)).toBeNull();
  });
});
