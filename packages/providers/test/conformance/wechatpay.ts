import { wechatpay } from '@payonce/providers/wechatpay/wechatpay';
import { generateRsaKeyPair, randomApiKey } from '@payonce/testkit/signers/keys';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { createWechatpaySigner, type WechatpaySigner } from '@payonce/testkit/signers/wechatpay';
import fc from 'fast-check';
import { filled, type Harness, NOW, PAYMENT, withBody } from './harness.js';

const PAYEE = { appId: 'wx0000000000000001', merchantId: '1900000001' };
const SERIAL = 'PUB_KEY_ID_0119000000012026010100000001';
/** `wechatpay-signature-type` may be absent: it has one valid value. */
const DEMANDED = [
  'wechatpay-timestamp',
  'wechatpay-nonce',
  'wechatpay-signature',
  'wechatpay-serial',
];

export function wechatpayHarness(): Harness {
  const pair = generateRsaKeyPair();
  const apiV3Key = randomApiKey();
  const signer = createWechatpaySigner({
    ...PAYEE,
    apiV3Key,
    privateKey: pair.privateKey,
    serial: SERIAL,
    clock: () => NOW,
  });
  const resealing: WechatpaySigner = {
    ...signer,
    resend: (notification) => signer.resend(notification, { reencrypt: true }),
  };
  const settings = {
    merchantId: PAYEE.merchantId,
    appIds: [PAYEE.appId],
    apiV3Keys: [{ env: 'API' }],
    keys: { [SERIAL]: { env: 'KEY' } },
  };
  const envelope = JSON.parse(signer.payment(PAYMENT).body.toString()) as Record<string, unknown>;
  const signedJson = (value: unknown) => signer.bytes(Buffer.from(JSON.stringify(value)));
  return {
    definition: wechatpay,
    provider: (retiredAt) =>
      wechatpay.create(
        wechatpay.settings.parse({
          ...settings,
          keys: {
            [SERIAL]: { env: 'KEY', ...(retiredAt && { retiredAt: retiredAt.toISOString() }) },
          },
        }),
        (source) => ('env' in source && source.env === 'API' ? apiV3Key : pair.publicPem),
      ),
    settings,
    // The harder case: no document says that a re-send keeps the cipher text.
    signer: resealing,
    rail: 'wechat',

    withoutEach: (request) =>
      DEMANDED.map((name) => [name, withHeader(request, name, () => undefined)]),
    withDoubled: (request) =>
      // Node joins a repeated header.
      [...DEMANDED, 'wechatpay-signature-type'].map((name) => [
        name,
        withHeader(request, name, (value) => `${value}, ${value}`),
      ]),
    withSignature: (request, change) => withHeader(request, 'wechatpay-signature', change),
    notNotifications: [
      ['an answer of the API', signedJson({ prepay_id: 'wx201410272009395522657a690389285100' })],
      ['an empty answer of the API', signer.bytes(Buffer.alloc(0))],
      ['a list', signedJson([envelope])],
      ['text', signedJson('SUCCESS')],
      ...['id', 'event_type', 'resource'].map(
        (name) => [`no ${name}`, signedJson({ ...envelope, [name]: undefined })] as const,
      ),
    ],
    brokenEncodings: [
      ['half of JSON', signer.bytes(Buffer.from(JSON.stringify(envelope).slice(0, -1)))],
      [
        'bytes that are not UTF-8',
        signer.bytes(
          Buffer.concat([
            Buffer.from(JSON.stringify(envelope).slice(0, -2)),
            Buffer.from(',"x":"\xff"}}', 'latin1'),
          ]),
        ),
      ],
    ],
    reordered: () => null,
    reserialised: (request) =>
      withBody(request, JSON.stringify(JSON.parse(request.body.toString()), null, 1)),
    windowSeconds: 300,
    unknownKey: (request) =>
      withHeader(request, 'wechatpay-serial', () => 'PUB_KEY_ID_0119000000012026010100000002'),
    expensive: (size) => [
      ['text', filled(size, '', 'x', '')],
      ['JSON', filled(size, '{', '"a":1,', '"b":1}')],
      ['nested JSON', filled(size, '', '[', '')],
    ],
    anySigned: fc.oneof(
      fc
        .record({ eventType, resource: fc.oneof(fc.json(), fc.json({ maxDepth: 0 }), resource) })
        .map((input) => signer.event({ ...input, notificationId: '1' })),
      fc.uint8Array().map((bytes) => signer.bytes(Buffer.from(bytes))),
      fc.json().map((text) => signer.bytes(Buffer.from(text))),
    ),

    replies: {
      accepted: { status: 204, contentType: null, body: '' },
      failure: {
        contentType: 'application/json',
        body: '{"code":"FAIL","message":"not accepted"}',
      },
    },
  };
}

const eventType = fc.constantFrom(
  'TRANSACTION.SUCCESS',
  'TRANSACTION.FAIL',
  'REFUND.SUCCESS',
  'REFUND.ABNORMAL',
  'PAYSCORE.USER_PAID',
);

/** Close to a real one, with any of its values odd. */
const resource = fc
  .dictionary(
    fc.constantFrom(
      'mchid',
      'appid',
      'out_trade_no',
      'transaction_id',
      'trade_state',
      'success_time',
      'amount',
      'refund_id',
      'refund_status',
      'combine_out_trade_no',
      'sub_orders',
    ),
    fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('SUCCESS', 'order-1', '2026-11-23T16:32:00+08:00'),
      fc.record({ total: fc.jsonValue(), refund: fc.jsonValue(), currency: fc.jsonValue() }),
      fc.array(fc.record({ out_trade_no: fc.jsonValue(), amount: fc.jsonValue() })),
    ),
  )
  .map((value) => JSON.stringify(value));

function withHeader(
  request: SignedRequest,
  name: string,
  change: (value: string) => string | undefined,
): SignedRequest {
  const { [name]: value = '', ...rest } = request.headers;
  const changed = change(value);
  return { ...request, headers: changed === undefined ? rest : { ...rest, [name]: changed } };
}
