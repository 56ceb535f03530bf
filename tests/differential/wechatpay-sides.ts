import type { KeyObject } from 'node:crypto';
import { wechatpay } from '@payonce/providers/wechatpay/wechatpay';
import {
  generateRsaKeyPair,
  issueCertificate,
  type PlatformCertificate,
  type RsaKeyPair,
  randomApiKey,
  randomPublicKeyId,
} from '@payonce/testkit/signers/keys';
import { Aes, Decorator, Formatter, Rsa } from 'wechatpay-axios-plugin';
import NodeV3 from 'wechatpay-node-v3';

/**
 * Both sides with the same keys: `wechatpay-axios-plugin`, `wechatpay-node-v3`, and our adapter.
 * WeChat's keys are a platform certificate and a public key.
 */

export const NOW = new Date('2026-11-23T08:32:00Z');
export const NOW_SECONDS = NOW.getTime() / 1000;
export const PAYEE = { merchantId: '1900000001', appId: 'wx0000000000000001' };

export const PAYMENT_TEXT = JSON.stringify({
  out_trade_no: 'order-1',
  amount: { total: 8888, currency: 'CNY' },
});

export type KeyMode = 'certificate' | 'public key';

/** A request to the notify address, with our names of the headers. */
export interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export async function createSides() {
  const apiV3Key = randomApiKey();
  const pairs = { certificate: generateRsaKeyPair(), 'public key': generateRsaKeyPair() };
  const certificate = await issueCertificate(pairs.certificate);
  const publicPem = pairs['public key'].publicPem;
  const serials = { certificate: certificate.serial, 'public key': randomPublicKeyId() };
  const pems = { [serials.certificate]: certificate.pem, [serials['public key']]: publicPem };

  const provider = wechatpay.create(
    wechatpay.settings.parse({
      merchantId: PAYEE.merchantId,
      appIds: [PAYEE.appId],
      apiV3Keys: [{ env: 'API' }],
      keys: Object.fromEntries(Object.keys(pems).map((serial) => [serial, { env: serial }])),
    }),
    (source) => ('env' in source ? (pems[source.env] ?? apiV3Key) : ''),
  );
  const privateKeys = {
    certificate: Rsa.from(pairs.certificate.privatePem, 'private'),
    'public key': Rsa.from(pairs['public key'].privatePem, 'private'),
  };
  const certs = Object.entries(pems).map(([serial, pem]) => [serial, Rsa.from(pem, 'public')]);
  return {
    apiV3Key,
    serials,
    ours: ({ headers, body }: Request, receivedAt = NOW) =>
      provider.verify({ body, headers, receivedAt }),
    axiosPlugin: axiosPlugin(apiV3Key, Object.fromEntries(certs)),
    nodeV3: await nodeV3(apiV3Key, certificate, pairs.certificate),
    /** By wechatpay-axios-plugin's signer, with the private key that plays WeChat's. */
    sign: (
      body: string,
      mode: KeyMode = 'certificate',
      timestamp: number | string = NOW_SECONDS,
      nonce = Formatter.nonce(),
    ): Request => {
      const signature = Rsa.sign(Formatter.response(timestamp, nonce, body), privateKeys[mode]);
      const headers = {
        'wechatpay-timestamp': String(timestamp),
        'wechatpay-nonce': nonce,
        'wechatpay-serial': serials[mode],
        'wechatpay-signature': signature,
      };
      return { headers, body: Buffer.from(body) };
    },
  };
}

interface Sealing {
  readonly key: string;
  readonly nonce: string;
  readonly associatedData?: string | undefined;
}

/** The envelope's `resource`, encrypted by wechatpay-axios-plugin. */
export function sealed(plaintext: string, { key, nonce, associatedData }: Sealing) {
  return {
    original_type: 'transaction',
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: Aes.AesGcm.encrypt(plaintext, key, nonce, associatedData),
    nonce,
    ...(associatedData !== undefined && { associated_data: associatedData }),
  };
}

export type Resource = Omit<ReturnType<typeof sealed>, 'associated_data'> & {
  readonly associated_data?: string;
};

/** The minimum that makes a signed body a notification. */
export function envelope(resource: Resource, more: object = {}): string {
  return JSON.stringify({ id: 'n-1', event_type: 'TRANSACTION.SUCCESS', ...more, resource });
}

/**
 * The steps of its README (回调通知): verify the headers, parse, decrypt. Null if one of them fails.
 */
function axiosPlugin(apiV3Key: string, certs: Record<string, KeyObject>) {
  const verifier = Decorator.responseVerifier(certs);
  return {
    verifies: ({ headers, body }: Request): boolean =>
      !(verifier.call({}, body.toString('utf8'), headers, 200) instanceof Error),
    opens: ({ ciphertext, nonce, associated_data }: Resource): string | null => {
      try {
        return Aes.AesGcm.decrypt(ciphertext, apiV3Key, nonce, associated_data);
      } catch {
        return null;
      }
    },
  };
}

/**
 * The second SDK. It downloads its certificates, and the test answers that request instead of
 * WeChat.
 */
async function nodeV3(
  apiV3Key: string,
  { serial, pem }: PlatformCertificate,
  { privatePem }: RsaKeyPair,
) {
  let downloads = 0;
  const pay = new NodeV3({
    appid: PAYEE.appId,
    mchid: PAYEE.merchantId,
    publicKey: Buffer.from(pem),
    privateKey: Buffer.from(privatePem),
    key: apiV3Key,
  });
  const { ciphertext, nonce } = sealed(pem, { key: apiV3Key, nonce: 'a'.repeat(12) });
  const encrypted = { ciphertext, nonce, associated_data: '' };
  const answer = { data: [{ serial_no: serial, encrypt_certificate: encrypted }] };
  const refuse = () => Promise.reject(new Error('no network in tests'));
  pay.createHttp({
    post: refuse,
    upload: refuse,
    get: async () => {
      downloads++;
      return { status: 200, data: answer };
    },
  });
  return {
    downloads: () => downloads,
    /** @param body as text, or parsed, as in its examples */
    verifies: async ({ headers, body }: Request, parsed?: Record<string, unknown>) => {
      try {
        return await pay.verifySign({
          timestamp: headers['wechatpay-timestamp'] ?? '',
          nonce: headers['wechatpay-nonce'] ?? '',
          serial: headers['wechatpay-serial'] ?? '',
          signature: headers['wechatpay-signature'] ?? '',
          body: parsed ?? body.toString('utf8'),
        });
      } catch {
        return false;
      }
    },
    opens: ({ ciphertext, nonce, associated_data }: Resource): unknown =>
      pay.decipher_gcm(ciphertext, associated_data ?? '', nonce),
  };
}
