import { type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../machine/files.js';
import {
  generateRsaKeyPair,
  issueCertificate,
  randomApiKey,
  rsaKeyPairFromPem,
} from '../signers/keys.js';

/**
 * The keys of the simulated channels on disk: `secrets/` is the merchant's, `provider-keys/` the
 * providers'.
 */

export interface SimulatedKeys {
  readonly alipay: { readonly privateKey: KeyObject };
  readonly wechat: NamedKey;
  readonly wechatPublicKey: NamedKey;
  readonly apiV3Key: string;
  readonly apiV2Key: string;
}

export interface NamedKey {
  readonly privateKey: KeyObject;
  readonly serial: string;
}

/** Constant: a public key has no built-in name, the channel file gives it one. */
const PUBLIC_KEY_ID = 'PUB_KEY_ID_0119000000012026010100000001';

const ALIPAY_PRIVATE = 'provider-keys/sim-alipay-private.pem';
const ALIPAY_PUBLIC = 'secrets/sim-alipay-public.pem';
const PLATFORM_PRIVATE = 'provider-keys/sim-wechat-platform-private.pem';
const PLATFORM_CERTIFICATE = 'secrets/sim-wechat-platform-cert.pem';
const WECHAT_PRIVATE = 'provider-keys/sim-wechat-public-key-private.pem';
const WECHAT_PUBLIC = 'secrets/sim-wechat-public.pem';
const API_V3_KEY = 'secrets/sim-wechat-apiv3-key';
const API_V2_KEY = 'secrets/sim-wechat-v2-key';

/**
 * Creates the missing keys. Only private and API keys are sources; the public ones are derived from
 * them, so that an interrupted start cannot leave two halves that do not match.
 */
export async function ensureSimulatedKeys(directory: string): Promise<SimulatedKeys> {
  for (const folder of ['secrets', 'provider-keys']) {
    mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
  }
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  const write = (file: string, text: string) => writeFileAtomically(join(directory, file), text);
  const existing = (file: string) => existsSync(join(directory, file));
  const pairAt = (file: string) => {
    if (!existing(file)) write(file, generateRsaKeyPair().privatePem);
    return rsaKeyPairFromPem(read(file));
  };

  write(ALIPAY_PUBLIC, pairAt(ALIPAY_PRIVATE).publicPem);
  write(WECHAT_PUBLIC, pairAt(WECHAT_PRIVATE).publicPem);
  const platform = pairAt(PLATFORM_PRIVATE);
  const certified =
    existing(PLATFORM_CERTIFICATE) &&
    new X509Certificate(read(PLATFORM_CERTIFICATE)).checkPrivateKey(platform.privateKey);
  if (!certified) write(PLATFORM_CERTIFICATE, (await issueCertificate(platform)).pem);
  for (const file of [API_V3_KEY, API_V2_KEY]) if (!existing(file)) write(file, randomApiKey());
  return readSimulatedKeys(directory);
}

/** @throws Error naming the missing file (ENOENT). */
export function readSimulatedKeys(directory: string): SimulatedKeys {
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  const privateKey = (file: string) => rsaKeyPairFromPem(read(file)).privateKey;
  return {
    alipay: { privateKey: privateKey(ALIPAY_PRIVATE) },
    wechat: {
      privateKey: privateKey(PLATFORM_PRIVATE),
      serial: new X509Certificate(read(PLATFORM_CERTIFICATE)).serialNumber.toUpperCase(),
    },
    wechatPublicKey: { privateKey: privateKey(WECHAT_PRIVATE), serial: PUBLIC_KEY_ID },
    apiV3Key: read(API_V3_KEY),
    apiV2Key: read(API_V2_KEY),
  };
}
