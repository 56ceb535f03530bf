import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  webcrypto,
} from 'node:crypto';
import { loadX509 } from '../machine/x509.js';
import { randomDigits, randomText } from './wire.js';

/** All keys here are generated at run time: no key is ever committed. */

export interface RsaKeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** PKCS#8. */
  readonly privatePem: string;
  /** SPKI. */
  readonly publicPem: string;
}

/** Alipay RSA2 and WeChat v3 sign with 2048 bits; 1024 stands for Alipay's old RSA keys. */
export function generateRsaKeyPair(bits = 2048): RsaKeyPair {
  return fromPrivateKey(generateKeyPairSync('rsa', { modulusLength: bits }).privateKey);
}

/** @param pem PKCS#8 or PKCS#1 */
export function rsaKeyPairFromPem(pem: string): RsaKeyPair {
  return fromPrivateKey(createPrivateKey(pem));
}

function fromPrivateKey(privateKey: KeyObject): RsaKeyPair {
  const publicKey = createPublicKey(privateKey);
  return {
    privateKey,
    publicKey,
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/**
 * The public key as Alipay's console shows it: base64 of the SPKI without header or line breaks.
 */
export function bareBase64(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

export interface PlatformCertificate {
  readonly pem: string;
  /** Upper-case hex, as in `Wechatpay-Serial`. */
  readonly serial: string;
}

export interface CertificateOptions {
  /** Upper-case hex; generated if omitted. */
  readonly serial?: string;
  readonly commonName?: string;
  readonly notBefore?: Date;
  /** WeChat's are valid for five years (the default). */
  readonly notAfter?: Date;
}

const DAY_MS = 24 * 3600 * 1000;

/**
 * Self-signed by the pair: stands for a WeChat platform certificate or an Alipay public
 * certificate.
 */
export async function issueCertificate(
  pair: RsaKeyPair,
  options: CertificateOptions = {},
): Promise<PlatformCertificate> {
  const { X509CertificateGenerator } = await loadX509();
  const serial = options.serial ?? randomSerial();
  const notBefore = options.notBefore ?? new Date(Date.now() - DAY_MS);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial,
      name: `CN=${options.commonName ?? 'Simulated platform certificate'}, O=payonce simulator, C=CN`,
      notBefore,
      notAfter: options.notAfter ?? new Date(notBefore.getTime() + 5 * 365 * DAY_MS),
      keys: await webCryptoKeys(pair),
      signingAlgorithm: RSA_SHA256,
    },
    webcrypto,
  );
  return { pem: `${certificate.toString('pem')}\n`, serial };
}

const RSA_SHA256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

async function webCryptoKeys(pair: RsaKeyPair): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'der' });
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' });
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', pkcs8, RSA_SHA256, true, ['sign']),
    webcrypto.subtle.importKey('spki', spki, RSA_SHA256, true, ['verify']),
  ]);
  return { privateKey, publicKey };
}

/**
 * 20 bytes: positive (highest bit clear) and without a leading zero, so that every reader shows the
 * same digits.
 */
export function randomSerial(): string {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex').toUpperCase();
}

/** `PUB_KEY_ID_` and 28 digits: names a WeChat public key instead of a certificate. */
export function randomPublicKeyId(): string {
  return `PUB_KEY_ID_${randomDigits(28)}`;
}

/** WeChat's APIv2 and APIv3 keys: exactly 32 letters and digits, used as text. */
export function randomApiKey(): string {
  return randomText(32);
}
