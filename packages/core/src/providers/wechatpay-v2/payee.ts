import type { WechatpayV2Settings } from './settings.js';
import type { Fields } from './xml.js';

/** Whose money it is: what the message's numbers are compared with. */
export type Payee = Pick<WechatpayV2Settings, 'merchantId' | 'subMerchantIds' | 'appIds'>;

/** Who was paid, as a message says it. */
export interface Paid {
  readonly merchant: string | undefined;
  readonly app: string | undefined;
  readonly subMerchant: string | undefined;
  readonly subApp: string | undefined;
}

export function payeeMatches(payee: Payee, paid: Paid): boolean {
  const partner = payee.subMerchantIds.length > 0;
  return (
    paid.merchant === payee.merchantId &&
    payee.appIds.includes(paid.app ?? '') &&
    (paid.subMerchant === undefined ? !partner : payee.subMerchantIds.includes(paid.subMerchant)) &&
    (paid.subApp === undefined || payee.appIds.includes(paid.subApp))
  );
}

/**
 * Whether a refund notice's envelope names another payee than the channel's. Nothing authenticates the envelope:
 * the key that opens the content proves the merchant, and an identity that is absent contradicts nothing.
 */
export function isForeignEnvelope(payee: Payee, envelope: Fields): boolean {
  const differs = (name: string, known: readonly string[]) => {
    const stated = envelope.get(name) || undefined;
    return stated !== undefined && !known.includes(stated);
  };
  return (
    differs('mch_id', [payee.merchantId]) ||
    differs('appid', payee.appIds) ||
    differs('sub_mch_id', payee.subMerchantIds) ||
    differs('sub_appid', payee.appIds)
  );
}
