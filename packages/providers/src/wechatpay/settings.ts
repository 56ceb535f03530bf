import { z } from 'zod';
import { secretSource } from '../secret.js';

/** The HEX serial of a platform certificate (at most 20 bytes, RFC 5280), or a public key's ID. */
const KEY_SERIAL = /^(?:[0-9A-Fa-f]{2,40}|PUB_KEY_ID_[0-9A-Za-z]{1,64})$/;

/** Merchant and app numbers are texts: as YAML numbers they would lose digits. */
const number = z.string().min(1).max(64);

const keys = z
  .record(
    z.string().regex(KEY_SERIAL, {
      error:
        'is neither a HEX serial nor PUB_KEY_ID_… (quote it: YAML reads some serials as numbers)',
    }),
    secretSource,
  )
  .refine((record) => Object.keys(record).length > 0, { error: 'needs at least one key' })
  .refine(
    (record) => {
      const serials = Object.keys(record);
      return new Set(serials.map((serial) => serial.toUpperCase())).size === serials.length;
    },
    { error: 'lists a serial twice (upper and lower case are the same)' },
  );

/** One channel of WeChat Pay API v3. */
export const wechatpaySettings = z.strictObject({
  merchantId: number,
  /** Partner mode (服务商): the sub-merchants whose money this channel may report. */
  subMerchantIds: z.array(number).default([]),
  appIds: z.array(number).min(1),
  /** Several during a change of the key; each exactly 32 bytes. */
  apiV3Keys: z.array(secretSource).min(1),
  /**
   * Five minutes, as in WeChat's SDKs for Go and PHP (docs/providers/wechatpay.md, "Time window").
   */
  timestampToleranceSeconds: z.int().positive().default(300),
  /** By serial: certificates and public keys side by side, since WeChat migrates gradually. */
  keys,
});
export type WechatpaySettings = z.infer<typeof wechatpaySettings>;
