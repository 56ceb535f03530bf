import { createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { RETRY_SCHEDULES, WECHATPAY_V2_OLDER } from '../sending/retry-schedules.js';
import {
  bareBase64,
  generateRsaKeyPair,
  issueCertificate,
  randomApiKey,
  randomPublicKeyId,
  rsaKeyPairFromPem,
} from './keys.js';

const pair = generateRsaKeyPair();

test('a certificate has the requested key, serial and dates', async () => {
  const serial = '5157F09EFDC096DE15EBE81A47057A7200000000';
  const notAfter = new Date('2027-01-02T03:04:05Z');
  const issued = await issueCertificate(pair, { serial, notAfter });
  const certificate = new X509Certificate(issued.pem);
  expect(certificate.serialNumber).toBe(serial);
  expect(issued.serial).toBe(serial);
  expect(new Date(certificate.validTo)).toEqual(notAfter);
  expect(certificate.checkPrivateKey(pair.privateKey)).toBe(true);
  expect(certificate.verify(pair.publicKey)).toBe(true);
});

test('a generated serial is the one that a reader of the certificate sees', async () => {
  const issued = await issueCertificate(pair);
  expect(issued.serial).toMatch(/^[0-9A-F]{40}$/);
  expect(new X509Certificate(issued.pem).serialNumber).toBe(issued.serial);
});

test('a pair read back from its PEM, and the bare public key, are the same keys', () => {
  const signature = sign('sha256', Buffer.from('x'), rsaKeyPairFromPem(pair.privatePem).privateKey);
  const der = Buffer.from(bareBase64(pair.publicKey), 'base64');
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  expect(verify('sha256', Buffer.from('x'), key, signature)).toBe(true);
});

test('API keys have exactly 32 letters and digits, key names the format of WeChat', () => {
  expect(randomApiKey()).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(randomApiKey()).not.toBe(randomApiKey());
  expect(randomPublicKeyId()).toMatch(/^PUB_KEY_ID_\d{28}$/);
});

test("the schedules add up to the providers' stated durations", () => {
  const total = (waits: readonly number[]) => waits.reduce((sum, wait) => sum + wait, 0);
  expect(RETRY_SCHEDULES.alipay).toHaveLength(7);
  expect(total(RETRY_SCHEDULES.alipay)).toBe((24 * 60 + 24) * 60);
  expect(total(RETRY_SCHEDULES.wechatpay)).toBe((24 * 60 + 4) * 60);
  expect(total(RETRY_SCHEDULES['wechatpay-v2'])).toBe((24 * 60 + 4) * 60);
  expect(total(WECHATPAY_V2_OLDER)).toBe(11040);
});
