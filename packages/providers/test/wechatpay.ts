import {
  generateRsaKeyPair,
  issueCertificate,
  randomApiKey,
  randomPublicKeyId,
  randomSerial,
} from '@payonce/testkit/signers/keys';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import {
  createWechatpaySigner,
  type WechatpaySignerOptions,
} from '@payonce/testkit/signers/wechatpay';
import type { PaymentEvent } from '../src/event.js';
import type { PaymentProvider } from '../src/provider.js';
import { wechatpay } from '../src/wechatpay/wechatpay.js';

/**
 * An API v3 channel, its requests, and the signer that plays WeChat: for the tests beside the
 * adapter.
 */

export const NOW = new Date('2026-11-23T08:00:00Z');
export const PAID_AT = new Date('2026-11-23T07:59:58Z');
export const seconds = (count: number) => new Date(NOW.getTime() + count * 1000);

export const APP = 'wx0000000000000001';
const SUB_APP = 'wx0000000000000002';
export const MERCHANT = '1900000001';
export const SUB_MERCHANT = '1900000109';
export const TRADE = '4200000001202611230000000001';

export const platform = generateRsaKeyPair();
export const certificate = await issueCertificate(platform);
/** The public key beside the certificate while WeChat migrates. */
export const successor = { pair: generateRsaKeyPair(), serial: randomPublicKeyId() };
export const retired = { pair: generateRsaKeyPair(), serial: randomSerial(), at: seconds(-60) };
export const apiV3Key = randomApiKey();
/** Retired at the same time. */
export const retiredApiV3Key = randomApiKey();

const secrets: Readonly<Record<string, string>> = {
  CERTIFICATE: certificate.pem,
  PUBLIC_KEY: successor.pair.publicPem,
  RETIRED: retired.pair.publicPem,
  API_V3_KEY: apiV3Key,
  RETIRED_API_V3_KEY: retiredApiV3Key,
};

export function createChannel(changes: object = {}): PaymentProvider {
  const retiredAt = retired.at.toISOString();
  const settings = wechatpay.settings.parse({
    merchantId: MERCHANT,
    subMerchantIds: [SUB_MERCHANT],
    appIds: [APP, SUB_APP],
    apiV3Keys: [{ env: 'RETIRED_API_V3_KEY', retiredAt }, { env: 'API_V3_KEY' }],
    keys: {
      [certificate.serial]: { env: 'CERTIFICATE' },
      [successor.serial]: { env: 'PUBLIC_KEY' },
      [retired.serial]: { env: 'RETIRED', retiredAt },
    },
    ...changes,
  });
  return wechatpay.create(settings, (source) =>
    'env' in source ? (secrets[source.env] ?? '') : '',
  );
}

export function createSigner(changes: Partial<WechatpaySignerOptions> = {}) {
  return createWechatpaySigner({
    appId: APP,
    merchantId: MERCHANT,
    apiV3Key,
    privateKey: platform.privateKey,
    serial: certificate.serial,
    clock: () => NOW,
    ...changes,
  });
}

export const channel = createChannel();
export const signer = createSigner();
export const partner = createSigner({ subAppId: SUB_APP, subMerchantId: SUB_MERCHANT });

export const payment = { orderNumber: 'A1', trade: TRADE, amount: 8888n, paidAt: PAID_AT };
export const refund = {
  orderNumber: 'A1',
  trade: TRADE,
  amount: 8888n,
  refundId: '50300000012026112300000000001',
  refundAmount: 100n,
  refundedTotal: 100n,
  refundedAt: PAID_AT,
  full: false,
};

export const verify = (request: SignedRequest, receivedAt = NOW) =>
  channel.verify({ ...request, receivedAt });

/** Verified as genuine, then decoded. */
export function decode(request: SignedRequest): PaymentEvent[] {
  const verdict = verify(request);
  if (!verdict.ok) throw new Error(`rejected: ${verdict.reason}`);
  return channel.decode(verdict.request);
}

/** What `payment` states. */
export const paidStatement = {
  kind: 'order',
  rail: 'wechat',
  orderNumber: 'A1',
  trade: TRADE,
  amount: 8888n,
  currency: 'CNY',
  payeeMatches: true,
  signed: true,
  facts: [{ kind: 'paid', rail: 'wechat', trade: TRADE, amount: 8888n, at: PAID_AT }],
};

export const unsupported = (orderNumber: string | null, says = 'TRANSACTION.SUCCESS') => ({
  kind: 'unsupported',
  orderNumber,
  says,
});

export const genuine = signer.payment(payment);
/** A genuine signature over exactly this text. */
export const signed = (body: string | Buffer) =>
  signer.bytes(Buffer.isBuffer(body) ? body : Buffer.from(body));
export const withHeaders = (headers: Record<string, string | undefined>) => ({
  body: genuine.body,
  headers: { ...genuine.headers, ...headers } as Record<string, string>,
});
/** The genuine envelope with other properties, genuinely signed. */
export const envelope = (changes: object) =>
  signed(JSON.stringify({ ...JSON.parse(genuine.body.toString()), ...changes }));
