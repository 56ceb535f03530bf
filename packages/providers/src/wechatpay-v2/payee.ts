import type { WechatpayV2Settings } from './settings.js';
import type { Fields } from './xml.js';

/** The payee of a channel, to compare with the numbers of a message. */
export type Payee = Pick<WechatpayV2Settings, 'merchantId' | 'subMerchantIds' | 'appIds'>;

/** The payee that a message states. */
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
 * Whether a refund notice's envelope names another payee than the channel's. Nothing authenticates
 * the envelope. The key that opens the content proves the merchant, and an absent identity
 * contradicts nothing.
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
