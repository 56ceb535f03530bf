import { alipay } from '@payonce/providers/alipay/alipay';
import { createAlipaySigner } from '@payonce/testkit/signers/alipay';
import { generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import fc from 'fast-check';
import { type Case, filled, type Harness, NOW, PAYMENT, withBody } from './harness.js';

const PAYEE = { appId: '2021000000000001', sellerId: '2088000000000001' };

export function alipayHarness(): Harness {
  const pair = generateRsaKeyPair();
  const signer = createAlipaySigner({ ...PAYEE, privateKey: pair.privateKey, clock: () => NOW });
  const settings = {
    appId: PAYEE.appId,
    sellerIds: [PAYEE.sellerId],
    publicKeys: [{ env: 'KEY' }],
  };
  return {
    definition: alipay,
    provider: (retiredAt) =>
      alipay.create(
        alipay.settings.parse({
          ...settings,
          publicKeys: [{ env: 'KEY', ...(retiredAt && { retiredAt: retiredAt.toISOString() }) }],
        }),
        () => pair.publicPem,
      ),
    settings,
    signer,
    rail: 'alipay',

    withoutEach: (request) =>
      pieces(request)
        // A trade notice does not sign sign_type; without it the channel's setting counts.
        .filter((piece) => !piece.startsWith('sign_type='))
        .map((piece) => without(request, piece)),
    withDoubled: (request) =>
      pieces(request).map((piece) => [
        nameOf(piece),
        withBody(request, `${request.body}&${piece}`),
      ]),
    withSignature: (request, change) =>
      withPieces(
        request,
        pieces(request).map((piece) => {
          if (!piece.startsWith('sign=')) return piece;
          return `sign=${encodeURIComponent(change(decodeURIComponent(piece.slice(5))))}`;
        }),
      ),
    notNotifications: [
      [
        'the parameters of a browser return',
        signer.fields([
          ['app_id', PAYEE.appId],
          ['method', 'alipay.trade.page.pay.return'],
          ['out_trade_no', PAYMENT.orderNumber],
          ['timestamp', '2026-11-23 16:32:00'],
          ['total_amount', '88.80'],
          ['trade_no', PAYMENT.trade],
        ]),
      ],
      [
        'a browser return that has the fields of a notice',
        signer.payment({ ...PAYMENT, changes: [['method', 'alipay.trade.wap.pay.return']] }),
      ],
      ['fields without a type', signer.fields([['notify_id', '1']])],
    ],
    brokenEncodings: ['%', '%zz', '%4', '%u4e2d'].map((broken) => [
      `a field with ${broken}`,
      withBody(signer.payment(PAYMENT), `${signer.payment(PAYMENT).body}&broken=${broken}`),
    ]),
    reordered: (request) => withPieces(request, pieces(request).toReversed()),
    reserialised: () => null,
    windowSeconds: null,
    unknownKey: () => null,
    expensive: (size) => {
      const sign = new URLSearchParams(signer.payment(PAYMENT).body.toString()).get('sign') ?? '';
      // Signed text with and without `sign_type` and empty values: six attempts.
      const after = `&sign_type=RSA2&sign=${encodeURIComponent(sign)}&notify_id=1&notify_type=x&e=`;
      const pieces = [
        '%41',
        '%26',
        'a',
        '+',
        '%26a=',
        '%26notify_id=',
        '%26notify_time=',
        '=',
        '&',
      ];
      return pieces.map((piece) => [piece, filled(size, 'a=', piece, after)]);
    },
    anySigned: fc
      .dictionary(fieldName, fieldValue)
      .map((fields) =>
        signer.fields([
          ['notify_id', '1'],
          ['notify_type', 'trade_status_sync'],
          ...Object.entries(fields),
        ]),
      ),

    replies: {
      accepted: { status: 200, contentType: 'text/plain', body: 'success' },
      failure: { contentType: 'text/plain', body: 'fail' },
    },
  };
}

const fieldName = fc.constantFrom(
  'app_id',
  'charset',
  'gmt_close',
  'gmt_payment',
  'msg_method',
  'out_trade_no',
  'refund_fee',
  'seller_id',
  'subject',
  'total_amount',
  'trade_no',
  'trade_status',
);
const fieldValue = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('TRADE_SUCCESS', 'TRADE_CLOSED', 'TRADE_FINISHED', '88.80', '0.00', 'GBK'),
);

function pieces(request: SignedRequest): string[] {
  return request.body.toString('latin1').split('&');
}

function withPieces(request: SignedRequest, changed: readonly string[]): SignedRequest {
  return withBody(request, changed.join('&'));
}

function without(request: SignedRequest, piece: string): Case {
  const rest = pieces(request).filter((other) => other !== piece);
  return [nameOf(piece), withPieces(request, rest)];
}

function nameOf(piece: string): string {
  return piece.slice(0, piece.indexOf('='));
}
