import { createCipheriv, type KeyObject, sign } from 'node:crypto';
import type { SignedRequest } from './request.js';
import { randomHex, randomText, unixSeconds } from './wire.js';

/**
 * API v3's envelope and signature for any content: the basis of the signer, and for hostile tests.
 */

export interface SealedResource {
  readonly original_type: string;
  readonly algorithm: string;
  readonly ciphertext: string;
  readonly associated_data: string;
  readonly nonce: string;
}

export interface SealOptions {
  /** Exactly 32 characters. */
  readonly apiV3Key: string;
  /** `transaction`, `refund`, … */
  readonly originalType?: string;
  readonly associatedData?: string;
  /** Twelve characters. */
  readonly nonce?: string;
}

/**
 * AES-256-GCM: base64 of cipher text and 16 bytes of tag (docs/providers/wechatpay.md,
 * "Encrypted content").
 */
export function sealResource(plaintext: Buffer | string, options: SealOptions): SealedResource {
  const nonce = options.nonce ?? randomText(12);
  const originalType = options.originalType ?? 'transaction';
  const associatedData = options.associatedData ?? originalType;
  const key = Buffer.from(options.apiV3Key, 'utf8');
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.from(nonce, 'utf8'), {
    authTagLength: 16,
  });
  cipher.setAAD(Buffer.from(associatedData, 'utf8'));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return {
    original_type: originalType,
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: sealed.toString('base64'),
    associated_data: associatedData,
    nonce,
  };
}

export interface WechatpaySigning {
  readonly privateKey: KeyObject;
  /** A certificate's serial (upper-case hex) or `PUB_KEY_ID_…`. */
  readonly serial: string;
  readonly at: Date;
  readonly nonce?: string;
}

/** Signs `timestamp\nnonce\nbody\n` over these bytes (docs/providers/wechatpay.md, "Signature"). */
export function signWechatpayBody(body: Buffer, signing: WechatpaySigning): SignedRequest {
  const timestamp = String(unixSeconds(signing.at));
  const nonce = signing.nonce ?? randomHex(16);
  const message = Buffer.concat([
    Buffer.from(`${timestamp}\n${nonce}\n`, 'utf8'),
    body,
    Buffer.from('\n', 'utf8'),
  ]);
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'wechatpay-timestamp': timestamp,
      'wechatpay-nonce': nonce,
      'wechatpay-signature': sign('sha256', message, signing.privateKey).toString('base64'),
      'wechatpay-serial': signing.serial,
      'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
    },
  };
}

/** WeChat's check of merchants (docs/providers/wechatpay.md, "Signature probes"). */
export function asSignatureProbe(request: SignedRequest): SignedRequest {
  const probe = `WECHATPAY/SIGNTEST/${request.headers['wechatpay-signature'] ?? randomText(32)}`;
  return { ...request, headers: { ...request.headers, 'wechatpay-signature': probe } };
}
