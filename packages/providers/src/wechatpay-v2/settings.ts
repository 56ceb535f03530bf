import { z } from 'zod';
import { type ReadSecret, type Retirable, retiredAt, secretSource, sourceName } from '../secret.js';

/**
 * The key that the merchant sets for API v2 is "32 bytes" (pay.weixin.qq.com, API安全, 设置APIv2密钥).
 */
const API_KEY_BYTES = 32;

export const wechatpayV2Settings = z.strictObject({
  /** `mch_id`; in partner mode the partner's. */
  merchantId: z.string().regex(/^\d{1,32}$/),
  /**
   * Partner mode: the `sub_mch_id`s whose money this channel may announce. Empty: not a partner.
   */
  subMerchantIds: z.array(z.string().regex(/^\d{1,32}$/)).default([]),
  /** `appid`; in partner mode the sub-merchants' `sub_appid`s as well. */
  appIds: z.array(z.string().min(1)).min(1),
  apiKeys: z.array(secretSource).min(1),
  /**
   * The merchant chooses it with the order, and a notification need not repeat it. It is fixed
   * here, so that no message can downgrade the verifier to MD5.
   */
  signType: z.enum(['HMAC-SHA256', 'MD5']).default('HMAC-SHA256'),
});
export type WechatpayV2Settings = z.infer<typeof wechatpayV2Settings>;

export interface ApiKey extends Retirable {
  readonly name: string;
  readonly text: string;
}

/** @throws Error naming every setting at fault, never a value. */
export function readApiKeys(settings: WechatpayV2Settings, readSecret: ReadSecret): ApiKey[] {
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
