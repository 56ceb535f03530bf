import { generateRsaKeyPair, issueCertificate, randomApiKey } from '@payonce/testkit/signers/keys';
import { beforeAll, describe, expect, test } from 'vitest';
import { wechatpay } from './wechatpay.js';

const SERIAL = '5157F09EFDC096DE15EBE81A47057A7200000000';
const PUBLIC_KEY_ID = 'PUB_KEY_ID_0000000000000000000000000001';

/** Names stand for their values, as in an environment. */
const secrets = new Map<string, string>();
const readSecret = (source: { env: string } | { file: string }): string => {
  const name = 'env' in source ? source.env : source.file;
  const value = secrets.get(name);
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const block = {
  merchantId: '1900000001',
  appIds: ['wx0000000000000001'],
  apiV3Keys: [{ env: 'API_V3_KEY' }],
  keys: { [PUBLIC_KEY_ID]: { file: 'public.pem' }, [SERIAL]: { file: 'certificate.pem' } },
};
const createFrom = (changes: object) =>
  wechatpay.create(wechatpay.settings.parse({ ...block, ...changes }), readSecret);

beforeAll(async () => {
  const pair = generateRsaKeyPair();
  secrets.set('public.pem', pair.publicPem);
  secrets.set('certificate.pem', (await issueCertificate(pair, { serial: SERIAL })).pem);
  secrets.set('weak.pem', generateRsaKeyPair(1024).publicPem);
  secrets.set('API_V3_KEY', randomApiKey());
  secrets.set('WITH_LINE_BREAK', `${randomApiKey()}\n`);
  secrets.set('SHORT', randomApiKey().slice(1));
  secrets.set('LONG', `${randomApiKey()}x`);
  secrets.set('WIDE', `${randomApiKey().slice(1)}付`);
});

describe('the settings of a WeChat Pay channel', () => {
  test('sub-merchants and the tolerance have their defaults', () => {
    expect(wechatpay.settings.parse(block)).toEqual({
      ...block,
      subMerchantIds: [],
      timestampToleranceSeconds: 300,
    });
  });

  test.each([
    ['no API v3 key', { apiV3Keys: [] }],
    ['no key', { keys: {} }],
    ['no app', { appIds: [] }],
    ['a merchant number that YAML read as a number', { merchantId: 1900000001 }],
    ['a serial that is neither HEX nor PUB_KEY_ID_', { keys: { shop: { env: 'A' } } }],
    ['a serial that YAML read as a number', { keys: { '5.157e+39': { env: 'A' } } }],
    ['one serial in two spellings', { keys: { AB12: { env: 'A' }, ab12: { env: 'B' } } }],
    ['a tolerance of nothing', { timestampToleranceSeconds: 0 }],
    ['an unknown setting', { apiV3Key: { env: 'A' } }],
  ])('%s is rejected', (_, changes) => {
    expect(wechatpay.settings.safeParse({ ...block, ...changes }).success).toBe(false);
  });
});

describe('the keys of a WeChat Pay channel', () => {
  test('certificate and public key are used side by side, and the certificate has its expiry', () => {
    const { keys } = createFrom({
      apiV3Keys: [
        { env: 'API_V3_KEY' },
        { env: 'WITH_LINE_BREAK', retiredAt: '2026-11-01T00:00:00Z' },
      ],
    });
    expect(keys).toEqual([
      { name: PUBLIC_KEY_ID, expiresAt: null, retiredAt: null },
      { name: SERIAL, expiresAt: expect.any(Date), retiredAt: null },
      { name: 'env API_V3_KEY', expiresAt: null, retiredAt: null },
      { name: 'env WITH_LINE_BREAK', expiresAt: null, retiredAt: new Date('2026-11-01T00:00:00Z') },
    ]);
  });

  test("a certificate's serial may be written in lower case", () => {
    expect(() =>
      createFrom({ keys: { [SERIAL.toLowerCase()]: { file: 'certificate.pem' } } }),
    ).not.toThrow();
  });

  test.each(['SHORT', 'LONG', 'WIDE'])(
    'an API v3 key that is not 32 bytes is rejected: %s',
    (env) => {
      expect(() => createFrom({ apiV3Keys: [{ env }] })).toThrow(
        'apiV3Keys[0]: is not exactly 32 bytes long',
      );
    },
  );

  test('a certificate with another serial, or with a public key ID, is rejected', () => {
    for (const serial of [`${SERIAL.slice(0, -1)}1`, PUBLIC_KEY_ID]) {
      expect(() => createFrom({ keys: { [serial]: { file: 'certificate.pem' } } })).toThrow(
        `keys.${serial}: is a certificate with another serial`,
      );
    }
  });

  test('an RSA key of fewer than 2048 bits is rejected', () => {
    expect(() => createFrom({ keys: { [PUBLIC_KEY_ID]: { file: 'weak.pem' } } })).toThrow(
      '1024 bits',
    );
  });

  test('all faults are listed at once, by name and without a value', () => {
    const create = () =>
      createFrom({
        apiV3Keys: [{ env: 'SHORT' }, { env: 'MISSING' }],
        keys: { [SERIAL]: { env: 'API_V3_KEY' } },
      });
    expect(create).toThrow(
      new RegExp(`keys\\.${SERIAL}: .*apiV3Keys\\[0\\]: .*apiV3Keys\\[1\\]: `),
    );
    for (const value of secrets.values()) {
      expect(create).not.toThrow(value);
    }
  });
});
