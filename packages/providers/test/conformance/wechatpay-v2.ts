import { wechatpayV2 } from '@payonce/providers/wechatpay-v2/wechatpay-v2';
import { randomApiKey } from '@payonce/testkit/signers/keys';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { createWechatpayV2Signer } from '@payonce/testkit/signers/wechatpay-v2';
import fc from 'fast-check';
import { filled, type Harness, NOW, PAYMENT, REFUND, withBody } from './harness.js';

const PAYEE = { appId: 'wx0000000000000001', merchantId: '1900000001' };

export function wechatpayV2Harness(signType: 'HMAC-SHA256' | 'MD5'): Harness {
  const apiKey = randomApiKey();
  const signer = createWechatpayV2Signer({ ...PAYEE, apiKey, signType, clock: () => NOW });
  const settings = {
    merchantId: PAYEE.merchantId,
    appIds: [PAYEE.appId],
    apiKeys: [{ env: 'KEY' }],
    signType,
  };
  const payment = signer.payment(PAYMENT);
  return {
    definition: wechatpayV2,
    provider: (retiredAt) =>
      wechatpayV2.create(
        wechatpayV2.settings.parse({
          ...settings,
          apiKeys: [{ env: 'KEY', ...(retiredAt && { retiredAt: retiredAt.toISOString() }) }],
        }),
        () => apiKey,
      ),
    settings,
    signer,
    rail: 'wechat',

    withoutEach: (request) =>
      elements(request).map(([name, element]) => [name, replaced(request, element, '')]),
    withDoubled: (request) =>
      elements(request).map(([name, element]) => [
        name,
        replaced(request, element, `${element}\n${element}`),
      ]),
    withSignature: (request, change) =>
      withBody(
        request,
        request.body
          .toString()
          .replace(/(<sign><!\[CDATA\[)(.*?)(\]\])/, (_, before, signature, after) =>
            [before, change(signature), after].join(''),
          ),
      ),
    notNotifications: [
      [
        'an answer of the API',
        signer.fields([
          ['return_code', 'SUCCESS'],
          ['appid', PAYEE.appId],
          ['mch_id', PAYEE.merchantId],
          ['result_code', 'SUCCESS'],
          ['prepay_id', 'wx201410272009395522657a690389285100'],
          ['trade_type', 'JSAPI'],
        ]),
      ],
      [
        'what a buyer’s browser carries',
        signer.fields([
          ['appId', PAYEE.appId],
          ['timeStamp', '1763886720'],
          ['package', 'prepay_id=wx201410272009395522657a690389285100'],
        ]),
      ],
      ['a refund notice of nothing', signer.reqInfo('<root></root>')],
    ],
    brokenEncodings: [
      ['an entity declaration', declared(payment, '<!DOCTYPE xml [<!ENTITY x "y">]>')],
      ['bytes that are not UTF-8', { ...payment, body: spoiled(payment.body) }],
      ['an element that does not end', replaced(payment, '</xml>', '')],
      ['req_info that is no base64', replaced(signer.refund(REFUND), '<req_info><![CDATA[', '$&*')],
    ],
    reordered: (request) => {
      const turned = elements(request).map(([, element]) => element);
      return withBody(request, `<xml>\n${turned.toReversed().join('\n')}\n</xml>`);
    },
    reserialised: () => null,
    windowSeconds: null,
    unknownKey: () => null,
    expensive: (size) => {
      const signed = `<sign>${'0'.repeat(signType === 'MD5' ? 32 : 64)}</sign></xml>`;
      const pieces = ['a&lt;', '&lt;', '&#65;', '&#x1F600;', 'a<![CDATA[]]>', '支', ' '];
      const sealed = '<xml><return_code>SUCCESS</return_code><mch_id>1</mch_id><req_info>';
      const fields = filled(size - 1_000, '<xml>', `<a>${'a&lt;'.repeat(100)}</a>`, signed);
      let count = 0;
      const named = fields.toString().replace(/<(\/?)a>/g, (_, end) => `<${end}a${count++ >> 1}>`);
      return [
        ...pieces.map(
          (piece) => [piece, filled(size, '<xml><a>', piece, `</a>${signed}`)] as const,
        ),
        ['many fields', Buffer.from(named)],
        ['as many references as are read', referring(size, signed)],
        ['req_info', filled(size, sealed, 'AAAA', '</req_info></xml>')],
        ['req_info of references', filled(size, sealed, 'A&lt;', '</req_info></xml>')],
        ['an open CDATA', filled(size, '<xml><a>', '<![CDATA[', '')],
      ];
    },
    anySigned: fc.oneof(
      fields.map((values) =>
        signer.fields([
          ['return_code', 'SUCCESS'],
          ['mch_id', PAYEE.merchantId],
          ...Object.entries(values),
        ]),
      ),
      fields.map((values) =>
        signer.refund({
          ...REFUND,
          changes: Object.entries(values).filter(([name]) => name !== 'mch_id'),
        }),
      ),
      fc.string({ unit: 'binary' }).map((text) => signer.reqInfo(text)),
    ),

    replies: {
      accepted: {
        status: 200,
        contentType: 'text/xml',
        body: '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>',
      },
      failure: {
        contentType: 'text/xml',
        body: '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>',
      },
    },
  };
}

const fields = fc.dictionary(
  fc.constantFrom(
    'appid',
    'change_type',
    'contract_id',
    'fee_type',
    'out_trade_no',
    'refund_fee',
    'refund_id',
    'refund_status',
    'result_code',
    'success_time',
    'time_end',
    'total_fee',
    'transaction_id',
  ),
  fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('SUCCESS', 'FAIL', 'CHANGE', '8880', '20261123163200', 'order-1'),
  ),
);

/** Name and text of every non-empty element: an empty one is not signed. */
function elements(request: SignedRequest): [name: string, element: string][] {
  const found = request.body.toString().matchAll(/<(\w+)><!\[CDATA\[.+?\]\]><\/\1>/gs);
  return Array.from(found, ([element, name = '']) => [name, element]);
}

function replaced(request: SignedRequest, text: string, other: string): SignedRequest {
  const body = request.body.toString();
  if (!body.includes(text)) throw new Error(`the request has no ${text}`);
  return withBody(request, body.replace(text, other));
}

function declared(request: SignedRequest, declaration: string): SignedRequest {
  return withBody(request, `${declaration}\n${request.body}`);
}

function spoiled(body: Buffer): Buffer {
  const at = body.indexOf('<attach><![CDATA[') + '<attach><![CDATA['.length;
  return Buffer.concat([body.subarray(0, at), Buffer.from([0xff]), body.subarray(at)]);
}

/** Nearly as large as allowed, in 190 fields, with nearly as many references as are read. */
function referring(size: number, end: string): Buffer {
  const fields = Array.from({ length: 190 }, (_, n) => {
    const references = 'a&lt;b&gt;c&quot;d&apos;'.repeat(5);
    return `<a${n}>${references.padEnd(Math.floor(size / 200), 'x')}</a${n}>`;
  });
  return Buffer.from(`<xml>${fields.join('')}${end}`);
}
