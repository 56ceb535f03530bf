import { type ReadSecret, type Retirable, retiredAt, sourceName } from '../secret.js';
import type { WechatpayV2Settings } from './settings.js';

/**
 * The key that the merchant sets for API v2 is "32 bytes" (pay.weixin.qq.com, API安全, 设置APIv2密钥).
 */
const API_KEY_BYTES = 32;

export interface ApiKey extends Retirable {
  readonly name: string;
  readonly text: string;
}

/** @throws Error naming every setting at fault, never a value. */
export function readKeys(settings: WechatpayV2Settings, readSecret: ReadSecret): ApiKey[] {
  const keys = settings.apiKeys.map((source) => ({
    name: sourceName(source),
    text: readSecret(source),
    retiredAt: retiredAt(source),
  }));
  const faults = keys.flatMap((key, index) =>
    Buffer.byteLength(key.text) === API_KEY_BYTES
      ? []
      : [`apiKeys[${index}] (${key.name}) must be exactly ${API_KEY_BYTES} bytes long`],
  );
  if (faults.length > 0) throw new Error(faults.join('; '));
  return keys;
}
