import { createPublicKey, X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { encodeForm } from '@payonce/testkit/signers/alipay-wire';
import { describe, expect, it } from 'vitest';
import type { PaymentProvider } from '../provider.js';
import { alipay } from './alipay.js';
import { alipaySettings } from './settings.js';

/** Published notices of other SDKs, signed by published keys. */
const FOLDER = resolve(
  import.meta.dirname,
  '../../../..',
  process.env.PAYONCE_VECTORS ?? '../shared/vectors',
);

interface Vector {
  readonly id: string;
  readonly provider: string;
  readonly kind: string;
  readonly negative: boolean;
  readonly request?: {
    readonly formBody?: string;
    readonly rawBody?: string;
    readonly rawBodyBase64?: string;
    readonly rawQuery?: string;
    readonly params?: Readonly<Record<string, string>>;
  };
  readonly keys?: { readonly alipayPublicKeyPem?: string; readonly alipayPublicCertPem?: string };
}

function read(kind: RegExp): Vector[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json') && file !== 'index.json')
    .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Vector)
    .filter((vector) => vector.provider === 'alipay' && kind.test(vector.kind));
}

function bodyOf({ request = {} }: Vector): Buffer {
  if (request.rawBodyBase64 !== undefined) return Buffer.from(request.rawBodyBase64, 'base64');
  const text = request.rawBody ?? request.formBody ?? request.rawQuery;
  return text === undefined ? encodeForm(Object.entries(request.params ?? {})) : Buffer.from(text);
}

function channelOf({ keys = {} }: Vector): PaymentProvider {
  const pem = keys.alipayPublicKeyPem ?? keys.alipayPublicCertPem ?? '';
  const { publicKey } = keys.alipayPublicKeyPem
    ? { publicKey: createPublicKey(pem) }
    : new X509Certificate(pem);
  const old = publicKey.asymmetricKeyDetails?.modulusLength === 1024;
  const settings = alipaySettings.parse({
    appId: '1',
    publicKeys: [{ env: 'KEY' }],
    signType: old ? 'RSA' : 'RSA2',
  });
  return alipay.create(settings, () => pem);
}

const verify = (vector: Vector) =>
  channelOf(vector).verify({ body: bodyOf(vector), headers: {}, receivedAt: new Date() });

const titled = (vectors: Vector[], negative: boolean): [id: string, Vector][] =>
  vectors.filter((vector) => vector.negative === negative).map((vector) => [vector.id, vector]);

const notices = read(/^notify-signature/);
const returns = read(/^return-url-signature$/);

describe.runIf(existsSync(FOLDER))('published notices', () => {
  it('are available', () => {
    expect(notices.length).toBeGreaterThan(0);
    expect(returns.length).toBeGreaterThan(0);
  });

  it.each(titled(notices, false))('%s is accepted', (_, vector) => {
    const verification = verify(vector);
    if (!verification.ok) throw new Error(`rejected as ${verification.reason}`);
    expect(channelOf(vector).decode(verification.request)).toHaveLength(1);
  });

  it.each(titled(notices, true))('%s is rejected', (_, vector) => {
    expect(verify(vector).ok).toBe(false);
  });

  it.each(titled(returns, false))('%s is genuinely signed, and no notification', (_, vector) => {
    expect(verify(vector)).toEqual({ ok: false, reason: 'not_a_notification' });
  });
});

if (!existsSync(FOLDER)) {
  it('published notices are not on this machine: not run', ({ skip }) => {
    console.info(`No folder ${FOLDER}: the published Alipay notices were not run.`);
    skip('set PAYONCE_VECTORS to the folder');
  });
}
