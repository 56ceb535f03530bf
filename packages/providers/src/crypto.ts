/** The only module with cryptographic primitives for notifications and order events. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  hash as hashOf,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
  verify,
  X509Certificate,
} from 'node:crypto';

/** Parsed once at boot: verifying with a PEM string is six times slower. */
export type PublicKey = KeyObject;

export type RsaHash = 'sha1' | 'sha256';

/**
 * RSASSA-PKCS1-v1_5. Returns `false` for anything but a valid signature, including hostile input.
 */
export function rsaVerify(
  hash: RsaHash,
  message: Buffer,
  key: PublicKey,
  signature: Buffer,
): boolean {
  try {
    return verify(hash, message, key, signature);
  } catch {
    return false;
  }
}

/**
 * Strict base64. Null for an empty text, other characters, wrong padding, or bits of the last
 * character beyond the bytes. So each byte string has one text, and a changed text is never equal.
 */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : null;
}

export function sha256Hex(...parts: (Buffer | string)[]): string {
  const [first = '', ...more] = parts;
  // One call takes half as long.
  if (more.length === 0) return hashOf('sha256', first, 'hex');
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

export function md5Hex(data: Buffer | string): string {
  return createHash('md5').update(data).digest('hex');
}

export function hmacSha256Hex(key: string, data: Buffer | string): string {
  return createHmac('sha256', key).update(data).digest('hex');
}

/** The signature algorithm of Standard Webhooks. */
export function hmacSha256Base64(key: Buffer, data: string): string {
  return createHmac('sha256', key).update(data).digest('base64');
}

/** From the system's generator. */
export function randomSecret(bytes: number): Buffer {
  return randomBytes(bytes);
}

/**
 * Compares in constant time for texts of equal length; texts of different lengths are never equal.
 */
export function equalTexts(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}

const GCM_TAG_BYTES = 16;
const GCM_NONCE_BYTES = 12;

/**
 * AES-256-GCM with a random nonce; `openAesGcm` takes the nonce separately. Key: exactly 32 bytes.
 */
export function sealAesGcm(
  key: Buffer,
  associatedData: Buffer,
  plain: Buffer,
): { readonly nonce: Buffer; readonly sealed: Buffer } {
  const nonce = randomSecret(GCM_NONCE_BYTES);
  const sealer = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG_BYTES });
  sealer.setAAD(associatedData);
  const sealed = Buffer.concat([sealer.update(plain), sealer.final(), sealer.getAuthTag()]);
  return { nonce, sealed };
}

/**
 * AES-256-GCM with the tag as the last 16 bytes. Null when it does not open. Key: exactly 32 bytes.
 */
export function openAesGcm(
  key: Buffer,
  nonce: Buffer,
  associatedData: Buffer,
  sealed: Buffer,
): Buffer | null {
  if (key.length !== 32 || nonce.length !== GCM_NONCE_BYTES || sealed.length <= GCM_TAG_BYTES)
    return null;
  try {
    const opener = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG_BYTES });
    opener.setAAD(associatedData);
    opener.setAuthTag(sealed.subarray(sealed.length - GCM_TAG_BYTES));
    const plain = opener.update(sealed.subarray(0, -GCM_TAG_BYTES));
    // Throws for a wrong tag. It returns no further bytes, since GCM holds none back.
    opener.final();
    return plain;
  } catch {
    return null;
  }
}

/** AES-256-ECB with PKCS#7 padding. Null when it does not open. Key: exactly 32 bytes. */
export function openAesEcb(key: Buffer, sealed: Buffer): Buffer | null {
  if (key.length !== 32 || sealed.length === 0 || sealed.length % 16 !== 0) return null;
  try {
    const opener = createDecipheriv('aes-256-ecb', key, null);
    return Buffer.concat([opener.update(sealed), opener.final()]);
  } catch {
    return null;
  }
}

export interface ParsedKey {
  readonly key: PublicKey;
  /** Upper-case hex serial of a certificate; null for a bare public key. */
  readonly serial: string | null;
  /** When a certificate expires; null for a bare public key. */
  readonly validTo: Date | null;
}

/**
 * Reads a PEM public key, a PEM certificate, or Alipay's bare base64 of a public key (as its
 * console shows it). RSA of at least `minimumBits`.
 * @throws Error with a text that names the fault and never the content.
 */
export function parsePublicKey(text: string, minimumBits: number): ParsedKey {
  const { key, certificate } = readPublicKey(text.trim());
  if (key.asymmetricKeyType !== 'rsa') throw new Error('is not an RSA key');
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < minimumBits)
    throw new Error(`is an RSA key of ${bits} bits, at least ${minimumBits} are needed`);
  return {
    key,
    serial: certificate ? certificate.serialNumber.toUpperCase() : null,
    validTo: certificate ? new Date(certificate.validTo) : null,
  };
}

/** OpenSSL's messages name decoder routines; a merchant needs the same information in all cases. */
function readPublicKey(text: string): { key: PublicKey; certificate: X509Certificate | null } {
  try {
    if (!text.includes('-----BEGIN CERTIFICATE-----')) {
      return { key: createPublicKey(asPem(text)), certificate: null };
    }
    const certificate = new X509Certificate(text);
    return { key: certificate.publicKey, certificate };
  } catch {
    throw new Error('is neither a public key (PEM, or its base64) nor a certificate (PEM)');
  }
}

function asPem(text: string): string {
  if (
    text.includes('-----BEGIN PUBLIC KEY-----') ||
    text.includes('-----BEGIN RSA PUBLIC KEY-----')
  ) {
    return text;
  }
  // Refuses a private key's PEM: Node would use its public half.
  const bare = text.replace(/\s+/g, '');
  if (decodeBase64(bare) === null) throw new Error('not base64');
  return `-----BEGIN PUBLIC KEY-----\n${bare.match(/.{1,64}/g)?.join('\n')}\n-----END PUBLIC KEY-----\n`;
}

/** Whether a text contains at least one PEM certificate, and all of them are readable. */
export function holdsCertificates(text: string): boolean {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const marks = text.split('-----BEGIN ').length - 1;
  return found.length > 0 && found.length === marks && found.every(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
