import { createCipheriv, createHash, randomBytes, sign } from 'node:crypto';
import { bareBase64, generateRsaKeyPair, issueCertificate } from '@payonce/testkit/signers/keys';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeBase64,
  equalTexts,
  hmacSha256Hex,
  md5Hex,
  openAesEcb,
  openAesGcm,
  parsePublicKey,
  rsaVerify,
  sha256Hex,
} from './crypto.js';

const pair = generateRsaKeyPair();

describe('base64', () => {
  it('gives back every byte string from its one text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        expect(decodeBase64(buffer.toString('base64'))).toEqual(buffer);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['a missing pad', 'YQ='],
    ['no pad', 'YWI'],
    ['too much padding', 'YWJj===='],
    ['blanks', 'YW Jj'],
    ['a line break at the end', 'YWJj\n'],
    ['the URL alphabet', '-_-_'],
    ['bits beyond the last byte', 'YR=='],
    ['Latin-1', 'YWJjé'],
  ])('rejects %s', (_, text) => {
    expect(decodeBase64(text)).toBeNull();
  });
});

describe('RSA', () => {
  const message = Buffer.from('message');

  it('distinguishes a valid signature from every other', () => {
    const signature = sign('sha256', message, pair.privateKey);
    expect(rsaVerify('sha256', message, pair.publicKey, signature)).toBe(true);
    expect(rsaVerify('sha1', message, pair.publicKey, signature)).toBe(false);
    expect(rsaVerify('sha256', Buffer.from('massage'), pair.publicKey, signature)).toBe(false);
    expect(rsaVerify('sha256', message, pair.publicKey, signature.subarray(1))).toBe(false);
    expect(rsaVerify('sha256', message, pair.publicKey, Buffer.alloc(0))).toBe(false);
    expect(rsaVerify('sha256', message, pair.publicKey, Buffer.alloc(100_000))).toBe(false);
  });
});

describe('a public key', () => {
  it('is read from PEM, from bare base64 with line breaks, and from a certificate', async () => {
    const certificate = await issueCertificate(pair, { serial: '0AB1' });
    const bare = bareBase64(pair.publicKey).replace(/.{76}/g, '$&\r\n');
    const parsed = [pair.publicPem, bare, certificate.pem].map((text) =>
      parsePublicKey(text, 2048),
    );
    for (const { key } of parsed) expect(key.equals(pair.publicKey)).toBe(true);
    expect(parsed.map(({ serial }) => serial)).toEqual([null, null, '0AB1']);
    expect(parsed[0]?.validTo).toBeNull();
    expect(parsed[2]?.validTo?.getTime()).toBeGreaterThan(Date.now());
  });

  it.each([
    ['a private key', pair.privatePem],
    ['nothing', ''],
    ['words', 'not a key'],
    ['base64 of something else', Buffer.from('not a key').toString('base64')],
    ['an empty certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
  ])('is not %s, and the message does not repeat it', (_, text) => {
    expect(() => parsePublicKey(text, 2048)).toThrow(
      /^is neither a public key \(PEM, or its base64\) nor a certificate \(PEM\)$/,
    );
  });

  it('is long enough', () => {
    const { publicPem } = generateRsaKeyPair(1024);
    expect(() => parsePublicKey(publicPem, 2048)).toThrow('1024 bits');
    expect(parsePublicKey(publicPem, 1024).serial).toBeNull();
  });
});

describe('AES-256-GCM', () => {
  const [key, nonce, data] = [randomBytes(32), randomBytes(12), Buffer.from('transaction')];
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(data);
  const sealed = Buffer.concat([cipher.update('content'), cipher.final(), cipher.getAuthTag()]);

  it('opens a sealed text, and nothing that differs in one bit', () => {
    expect(openAesGcm(key, nonce, data, sealed)?.toString()).toBe('content');
    for (let index = 0; index < sealed.length; index++) {
      const altered = Buffer.from(sealed);
      altered.writeUInt8(altered.readUInt8(index) ^ 1, index);
      expect(openAesGcm(key, nonce, data, altered)).toBeNull();
    }
    expect(openAesGcm(key, nonce, Buffer.alloc(0), sealed)).toBeNull();
    expect(openAesGcm(randomBytes(32), nonce, data, sealed)).toBeNull();
  });

  it('rejects shortened tags, other key lengths and other nonce lengths', () => {
    expect(openAesGcm(key, nonce, data, sealed.subarray(0, -1))).toBeNull();
    expect(openAesGcm(key, nonce, data, sealed.subarray(0, 16))).toBeNull();
    expect(openAesGcm(key, nonce, data, Buffer.alloc(0))).toBeNull();
    expect(openAesGcm(key.subarray(0, 16), nonce, data, sealed)).toBeNull();
    expect(openAesGcm(key, nonce.subarray(0, 8), data, sealed)).toBeNull();
  });
});

describe('AES-256-ECB', () => {
  const key = randomBytes(32);
  const cipher = createCipheriv('aes-256-ecb', key, null);
  const sealed = Buffer.concat([cipher.update('content of two blocks'), cipher.final()]);

  it('opens a sealed text, and gives null for broken padding, lengths and keys', () => {
    expect(openAesEcb(key, sealed)?.toString()).toBe('content of two blocks');
    const altered = Buffer.from(sealed);
    altered.writeUInt8(altered.readUInt8(sealed.length - 1) ^ 1, sealed.length - 1);
    expect(openAesEcb(key, altered)?.toString()).not.toBe('content of two blocks');
    expect(openAesEcb(key, sealed.subarray(1))).toBeNull();
    expect(openAesEcb(key, Buffer.alloc(0))).toBeNull();
    expect(openAesEcb(key.subarray(16), sealed)).toBeNull();
  });
});

describe('digests', () => {
  it('are the published ones', () => {
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(sha256Hex('')).toBe(empty);
    expect(sha256Hex('ab', Buffer.from('c'))).toBe(
      createHash('sha256').update('abc').digest('hex'),
    );
    expect(md5Hex('')).toBe('d41d8cd98f00b204e9800998ecf8427e');
    // RFC 4231, test case 2.
    expect(hmacSha256Hex('Jefe', 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it('are equal when every character is, and texts of other lengths never are', () => {
    expect(equalTexts('abc', 'abc')).toBe(true);
    expect(equalTexts('abc', 'abd')).toBe(false);
    expect(equalTexts('abc', 'abcd')).toBe(false);
    expect(equalTexts('', '')).toBe(true);
    expect(equalTexts('é', 'e')).toBe(false);
  });
});
