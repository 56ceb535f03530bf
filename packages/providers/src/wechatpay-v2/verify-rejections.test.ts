import { type Fields, withFields, withoutFields } from '@payonce/testkit/signers/request';
import { wechatV2Sign } from '@payonce/testkit/signers/wechatpay-v2-wire';
import { describe, expect, test } from 'vitest';
import { rejection, signedRejection } from '../../test/rejections.js';
import {
  channel,
  KEY,
  PAYEE,
  PAYMENT_FIELDS,
  payment,
  sign,
  signer,
  xml,
} from '../../test/wechatpay-v2.js';

const { verify } = channel();

describe('a message that was not signed with a live key of the channel is rejected', () => {
  test('a foreign key', () => {
    expect(verify(signer.forge(signer.payment(payment)).body)).toEqual(rejection('bad_signature'));
  });

  test('a field added, changed, or taken away after signing', () => {
    expect(verify(signer.forge(signer.payment(payment), 'changed_content').body)).toEqual(
      rejection('bad_signature'),
    );
    const signature: Fields = [['sign', wechatV2Sign(PAYMENT_FIELDS, KEY, 'HMAC-SHA256')]];
    expect(verify(xml([...PAYMENT_FIELDS, ...signature])).ok).toBe(true);
    for (const [name, value] of PAYMENT_FIELDS) {
      if (value === '') continue;
      const changed = withFields(PAYMENT_FIELDS, [[name, `${value}0`]]);
      expect(verify(xml([...changed, ...signature])), name).toEqual(rejection('bad_signature'));
      const missing = withoutFields(PAYMENT_FIELDS, name);
      expect(verify(xml([...missing, ...signature])), name).toEqual(rejection('bad_signature'));
    }
  });

  test.each([
    ['missing', null],
    ['empty', ''],
    ['truncated', 'cut'],
    ['in small letters', 'lower'],
    ['of the other algorithm', 'MD5'],
    ['of a huge length', 'huge'],
  ])('a signature that is %s', (_, how) => {
    const good = wechatV2Sign(PAYMENT_FIELDS, KEY, 'HMAC-SHA256');
    const signs: Record<string, string> = {
      '': '',
      cut: good.slice(0, -1),
      lower: good.toLowerCase(),
      MD5: wechatV2Sign(PAYMENT_FIELDS, KEY, 'MD5'),
      huge: 'A'.repeat(100_000),
    };
    const fields: Fields =
      how === null ? PAYMENT_FIELDS : [...PAYMENT_FIELDS, ['sign', signs[how] ?? '']];
    expect(verify(xml(fields))).toEqual(rejection('bad_signature'));
  });

  test('every single flipped bit of the body', () => {
    const { body } = signer.payment({ ...payment, text: 'x' });
    for (let bit = 0; bit < body.length * 8; bit += 3) {
      const flipped = Buffer.from(body);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // White space between fields has no meaning: a tab for a line feed is the same message.
      const same = /\s/.test(String.fromCharCode(body[bit >> 3] ?? 0));
      if (!same) expect(verify(flipped).ok, `bit ${bit}`).toBe(false);
    }
  });

  test('the algorithm that the channel does not use, whatever the message states', () => {
    const stated = (signType: string) => withFields(PAYMENT_FIELDS, [['sign_type', signType]]);
    const silent = withoutFields(PAYMENT_FIELDS, 'sign_type');
    expect(verify(sign(stated('MD5'), 'MD5'))).toEqual(rejection('bad_signature'));
    expect(verify(sign(stated('MD5')))).toEqual(rejection('bad_signature'));
    expect(verify(sign(silent, 'MD5'))).toEqual(rejection('bad_signature'));
    expect(verify(sign(stated('RSA')))).toEqual(rejection('bad_signature'));
    expect(channel('MD5').verify(sign(stated('HMAC-SHA256')))).toEqual(rejection('bad_signature'));
    expect(channel('MD5').verify(sign(stated('HMAC-SHA256'), 'MD5'))).toEqual(
      rejection('bad_signature'),
    );
  });
});

describe('a message that is signed with the key and is no notification is rejected', () => {
  test.each<[string, Fields]>([
    [
      'a request of the merchant',
      [
        ['appid', 'wx1'],
        ['body', 'x'],
        ['mch_id', '1900000001'],
        ['out_trade_no', 'A-1'],
        ['total_fee', '1'],
      ],
    ],
    [
      'the browser’s payment parameters',
      [
        ['appId', 'wx1'],
        ['nonceStr', 'x'],
        ['package', 'prepay_id=1'],
        ['signType', 'HMAC-SHA256'],
        ['timeStamp', '1'],
      ],
    ],
    [
      'the answer to a new order',
      [
        ['return_code', 'SUCCESS'],
        ['result_code', 'SUCCESS'],
        ['appid', 'wx1'],
        ['mch_id', '1900000001'],
        ['prepay_id', 'x'],
        ['trade_type', 'JSAPI'],
      ],
    ],
    [
      'the answer to a new order with a contract',
      [
        ['return_code', 'SUCCESS'],
        ['result_code', 'SUCCESS'],
        ['mch_id', '1900000001'],
        ['out_trade_no', 'A-1'],
        ['contract_code', 'c'],
        ['prepay_id', 'x'],
      ],
    ],
    [
      'the answer to a contract query',
      [
        ['return_code', 'SUCCESS'],
        ['result_code', 'SUCCESS'],
        ['mch_id', '1900000001'],
        ['contract_id', 'c'],
        ['contract_state', '0'],
      ],
    ],
    [
      'a contract notice without a contract',
      [
        ['return_code', 'SUCCESS'],
        ['result_code', 'SUCCESS'],
        ['mch_id', '1900000001'],
        ['change_type', 'ADD'],
      ],
    ],
    ['a payment without return_code', withoutFields(PAYMENT_FIELDS, 'return_code')],
    ['a payment without mch_id', withoutFields(PAYMENT_FIELDS, 'mch_id')],
    ['a payment without out_trade_no', withoutFields(PAYMENT_FIELDS, 'out_trade_no')],
    ['a payment without transaction_id', withoutFields(PAYMENT_FIELDS, 'transaction_id')],
    [
      'a payment whose transaction_id is empty',
      withFields(PAYMENT_FIELDS, [['transaction_id', '']]),
    ],
  ])('%s', (_, fields) => {
    expect(verify(sign(fields))).toEqual(signedRejection('not_a_notification'));
  });

  test('a payment cut out of a contract address that a buyer’s browser opened', () => {
    const forged =
      'x&mch_id=1900000001&out_trade_no=A-1&result_code=SUCCESS&return_code=SUCCESS' +
      '&time_end=20261120160000&total_fee=8888&transaction_id=42&u=y';
    const address: Fields = [
      ['appid', PAYEE.appId],
      ['contract_code', '1'],
      ['contract_display_account', forged],
      ['mch_id', PAYEE.merchantId],
      ['notify_url', 'https://shop.example/notify'],
      ['plan_id', '12'],
      ['request_serial', '1'],
      ['timestamp', '1795152000'],
      ['version', '1.0'],
    ];
    const signature = wechatV2Sign(address, KEY, 'HMAC-SHA256');
    const text = address.map(([name, value]) => `${name}=${value}`).join('&');
    const pairs = text.split('&').map((pair) => pair.split('=') as [string, string]);
    const cut = pairs.findIndex(([name]) => name === 'u');
    const swallowed = `${text.slice(text.indexOf('&u=') + 3)}`;
    const recut: Fields = [...pairs.slice(0, cut), ['u', swallowed]];
    // The attack is real: the genuine signature of the address fits the invented payment.
    expect(wechatV2Sign(recut, KEY, 'HMAC-SHA256')).toBe(signature);
    expect(verify(xml([...recut, ['sign', signature]]))).toEqual(
      signedRejection('not_a_notification'),
    );
  });
});

describe('unsigned messages are never acted on', () => {
  test('return_code FAIL', () => {
    const fail: Fields = [
      ['return_code', 'FAIL'],
      ['return_msg', '签名失败'],
    ];
    expect(verify(xml(fail))).toEqual(rejection('bad_signature'));
    expect(verify(xml([...fail, ['mch_id', PAYEE.merchantId]]))).toEqual(
      rejection('bad_signature'),
    );
  });

  test.each([
    '',
    ' ',
    '<xml></xml>',
    '<xml/>',
    '{}',
    'a=b',
    '<xml><a>1</a></xml>',
    '\u0000',
    '<xml',
  ])('malformed: %j', (text) => {
    expect(verify(Buffer.from(text))).toEqual(rejection('malformed'));
  });

  test('a genuine message with a doubled field, a DOCTYPE, an entity, a comment or an attribute', () => {
    const genuine = signer.payment({ ...payment, text: 'x' }).body.toString();
    const variants = [
      genuine.replace('</xml>', '<total_fee>1</total_fee></xml>'),
      `<!DOCTYPE xml [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]>${genuine}`,
      genuine.replace('<![CDATA[x]]>', '&x;'),
      genuine.replace('<xml>', '<xml><!-- -->'),
      genuine.replace('<total_fee>', '<total_fee unit="yuan">'),
      genuine.replace(/xml>/g, 'root>'),
      `${genuine}${genuine}`,
    ];
    for (const variant of variants) {
      expect(variant).not.toBe(genuine);
      expect(verify(Buffer.from(variant)), variant).toEqual(rejection('malformed'));
    }
  });

  test('a genuine message beyond 256 KiB', () => {
    expect(verify(sign([...PAYMENT_FIELDS, ['x', 'x'.repeat(256 * 1024)]]))).toEqual(
      rejection('malformed'),
    );
  });
});
