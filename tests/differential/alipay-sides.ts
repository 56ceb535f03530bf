import { isUtf8 } from 'node:buffer';
import { parse } from 'node:querystring';
import { alipay } from '@payonce/providers/alipay/alipay';
import type { PaymentEvent } from '@payonce/providers/event';
import {
  type AlipayCharset,
  encodeForm,
  signAlipayFields,
} from '@payonce/testkit/signers/alipay-wire';
import { bareBase64, generateRsaKeyPair, type RsaKeyPair } from '@payonce/testkit/signers/keys';
import type { Fields } from '@payonce/testkit/signers/request';
import { AlipaySdk, type AlipaySdkSignType } from 'alipay-sdk';

/** Both sides with the same key: the official SDK for Node, and our adapter. */

export const APP_ID = '2021000000000001';
const NOW = new Date('2026-11-23T08:32:00Z');

interface SideOptions {
  readonly signType?: AlipaySdkSignType;
  readonly pair?: RsaKeyPair;
  /** For the pair: then both sides work in certificate mode. */
  readonly certificate?: string;
}

export function createSides(options: SideOptions = {}) {
  const { signType = 'RSA2', pair = generateRsaKeyPair(), certificate } = options;
  // Its private key plays Alipay's: everything that the SDK signs is signed as Alipay.
  const sdk = new AlipaySdk({
    appId: APP_ID,
    privateKey: pair.privatePem,
    keyType: 'PKCS8',
    signType,
    ...(certificate === undefined
      ? { alipayPublicKey: bareBase64(pair.publicKey) }
      : {
          appCertContent: certificate,
          alipayPublicCertContent: certificate,
          alipayRootCertContent: certificate,
        }),
  });
  const list = certificate === undefined ? 'publicKeys' : 'certificates';
  const provider = alipay.create(
    alipay.settings.parse({ appId: APP_ID, signType, [list]: [{ env: 'KEY' }] }),
    () => certificate ?? bareBase64(pair.publicKey),
  );
  return {
    pair,
    sdk,
    ours: (body: Buffer) => provider.verify({ body, headers: {}, receivedAt: NOW }),
    decoded: (body: Buffer): PaymentEvent[] => {
      const verification = provider.verify({ body, headers: {}, receivedAt: NOW });
      return verification.ok ? provider.decode(verification.request) : [];
    },
    /** Signed like notices, with or without `sign_type`. */
    sign: (fields: Fields, signTypeIsSigned = false, charset: AlipayCharset = 'utf-8') =>
      signAlipayFields(fields, {
        privateKey: pair.privateKey,
        signType,
        signTypeIsSigned,
        charset,
      }),
    /**
     * Signed by the SDK's `sign` for requests: `sign_type` is signed, and seven fields are added.
     */
    signBySdk: (fields: Fields): Fields => {
      const query = sdk.sdkExecute('alipay.trade.notify', Object.fromEntries(fields), {
        bizContentAutoSnakeCase: false,
      });
      return [...new URLSearchParams(query)];
    },
  };
}

export type Sides = ReturnType<typeof createSides>;
type SdkVerdict = 'accepted' | 'refused' | 'threw';

/** The SDK's verdict on parsed fields. Its documentation recommends `V2` today. */
export function sdkVerdict(
  sdk: AlipaySdk,
  fields: object,
  check: 'checkNotifySignV2' | 'checkNotifySign' = 'checkNotifySignV2',
): SdkVerdict {
  try {
    return sdk[check](fields) ? 'accepted' : 'refused';
  } catch {
    return 'threw';
  }
}

/**
 * The body as usual parsers pass it to the SDK (`express.urlencoded({ extended: false })`, koa).
 */
export function asFrameworksParse(body: Buffer): Record<string, string | string[] | undefined> {
  return parse(body.toString('utf8'), '&', '=', { maxKeys: 0 });
}

export const encoders: Readonly<Record<string, (fields: Fields) => Buffer>> = {
  'as Java writes it': (fields) => encodeForm(fields),
  'as JavaScript writes it': (fields) =>
    Buffer.from(fields.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')),
  'as browsers write it': (fields) =>
    Buffer.from(new URLSearchParams(Object.fromEntries(fields)).toString()),
  'in lower-case hex': (fields) =>
    Buffer.from(
      encodeForm(fields)
        .toString()
        .replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
    ),
};

/**
 * The reason why we refuse it regardless of the SDK. Each has a test in `alipay-known.test.ts`,
 * which shows the SDK accepting it. Null for all other messages: there, both must agree.
 */
export function refusedByUsAlone(body: Buffer): string | null {
  const raw = body.toString('latin1');
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) return 'broken escape';
  const pieces = raw.split('&').filter((piece) => piece !== '');
  // A field without a value states nothing to us, whatever its name is.
  const filled = pieces.filter((piece) => /=./.test(piece)).join('&');
  if (!isUtf8(Buffer.from(percentDecoded(filled), 'latin1'))) return 'not UTF-8';
  const names = pieces.map((piece) => percentDecoded(piece.split('=')[0] ?? ''));
  if (names.includes('')) return 'value without a name';
  if (new Set(names).size < names.length) return 'doubled field';
  const { sign = '' } = asFrameworksParse(body);
  if (Buffer.from(String(sign), 'base64').toString('base64') !== sign) return 'loose base64';
  return null;
}

/** To bytes, one per character: the form before any charset is chosen. */
export function percentDecoded(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * The verdict on which both must agree: the SDK's answer, also without empty fields. We accept
 * those signatures too, since PHP's SDK and others make them (`alipay-known.test.ts`).
 */
export function sdkAccepts(sdk: AlipaySdk, body: Buffer): boolean {
  const fields = asFrameworksParse(body);
  if (sdkVerdict(sdk, fields) === 'accepted') return true;
  const filled = Object.entries(fields).filter(([, text]) => text !== '');
  return (
    filled.length < Object.keys(fields).length &&
    sdkVerdict(sdk, Object.fromEntries(filled)) === 'accepted'
  );
}
