import { bareBase64, generateRsaKeyPair, issueCertificate } from '@payonce/testkit/signers/keys';
import { describe, expect, it } from 'vitest';
import { alipay } from './alipay.js';
import { alipaySettings } from './settings.js';

const strong = generateRsaKeyPair();
const weak = generateRsaKeyPair(1024);
const RETIRED_AT = '2026-11-01T00:00:00Z';

function create(block: Record<string, unknown>, secrets: Record<string, string>) {
  const settings = alipaySettings.parse({ appId: '2021000000000000', ...block });
  return alipay.create(settings, (source) => secrets['env' in source ? source.env : ''] ?? '');
}

describe('the channel file', () => {
  it('takes a PEM key, the bare base64 of the console, and a certificate', async () => {
    const certificate = await issueCertificate(strong, { notAfter: new Date('2030-01-01') });
    const provider = create(
      {
        publicKeys: [{ env: 'PEM' }, { env: 'BARE', retiredAt: RETIRED_AT }],
        certificates: [{ env: 'CERT' }],
      },
      { PEM: strong.publicPem, BARE: bareBase64(strong.publicKey), CERT: certificate.pem },
    );
    expect(provider.keys).toEqual([
      { name: 'env PEM', expiresAt: null, retiredAt: null },
      { name: 'env BARE', expiresAt: null, retiredAt: new Date(RETIRED_AT) },
      { name: 'env CERT', expiresAt: new Date('2030-01-01'), retiredAt: null },
    ]);
  });

  it('accepts 1024 bits for RSA, and requires 2048 for RSA2', () => {
    const block = { publicKeys: [{ env: 'OLD' }] };
    expect(create({ ...block, signType: 'RSA' }, { OLD: weak.publicPem }).keys).toHaveLength(1);
    expect(() => create(block, { OLD: weak.publicPem })).toThrow(
      'publicKeys.0 (env OLD): is an RSA key of 1024 bits, at least 2048 are needed',
    );
  });

  it('names every faulty key at once, and never its content', () => {
    const block = { publicKeys: [{ env: 'A' }], certificates: [{ env: 'B' }] };
    const secrets = { A: strong.privatePem, B: 'cGFzc3dvcmQ=' };
    let message = '';
    try {
      create(block, secrets);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/publicKeys\.0 \(env A\).*certificates\.0 \(env B\)/);
    expect(message).not.toContain('PRIVATE');
    expect(message).not.toContain('cGFz');
  });

  it.each([
    ['no key at all', { appId: '1' }],
    [
      'an app number that YAML read as a number',
      { appId: 2021000000000000, publicKeys: [{ env: 'A' }] },
    ],
    ['a key in the file itself', { appId: '1', publicKeys: ['MIIB'] }],
    ['an unknown setting', { appId: '1', publicKeys: [{ env: 'A' }], appid: '2' }],
    ['MD5', { appId: '1', publicKeys: [{ env: 'A' }], signType: 'MD5' }],
  ])('is rejected: %s', (_, block) => {
    expect(alipaySettings.safeParse(block).success).toBe(false);
  });

  it('signs with RSA2 by default', () => {
    const settings = alipaySettings.parse({ appId: '1', publicKeys: [{ env: 'A' }] });
    expect(settings).toMatchObject({ signType: 'RSA2', sellerIds: [] });
  });
});
