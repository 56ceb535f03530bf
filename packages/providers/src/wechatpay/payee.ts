import type { JsonObject } from './json.js';
import type { WechatpaySettings } from './settings.js';

/** The payee of a channel. */
export type Payee = Pick<WechatpaySettings, 'merchantId' | 'subMerchantIds' | 'appIds'>;

/**
 * Direct (`mchid`, `appid`) or partner mode (`sp_mchid` for a `sub_mchid`; `sp_appid`,
 * `sub_appid`).
 */
export function isOwnPayment(own: Payee, resource: JsonObject): boolean {
  const apps = given(resource.appid, resource.sp_appid);
  return isOwnMerchant(own, resource) && apps.length > 0 && areOwnApps(own, resource);
}

/**
 * Refund notices name no app (docs/providers/wechatpay.md, "Refund content"); a given one must
 * still be the channel's.
 */
export function isOwnRefund(own: Payee, resource: JsonObject): boolean {
  return isOwnMerchant(own, resource) && areOwnApps(own, resource);
}

/**
 * Combined orders: `combine_mchid` and `combine_appid` placed all of them. Each sub-order names its
 * payee, which is the merchant itself or one of its sub-merchants.
 */
export function isOwnSubOrder(own: Payee, combined: JsonObject, subOrder: JsonObject): boolean {
  return (
    combined.combine_mchid === own.merchantId &&
    includes(own.appIds, combined.combine_appid) &&
    (subOrder.mchid === own.merchantId || includes(own.subMerchantIds, subOrder.mchid)) &&
    areOwnSubMerchants(own, subOrder) &&
    areOwnApps(own, subOrder)
  );
}

function isOwnMerchant(own: Payee, resource: JsonObject): boolean {
  const merchants = given(resource.mchid, resource.sp_mchid);
  // A partner receives for another merchant: the message must name it.
  const namesPayee = given(resource.sp_mchid).length === 0 || given(resource.sub_mchid).length > 0;
  return (
    merchants.length > 0 &&
    merchants.every((id) => id === own.merchantId) &&
    namesPayee &&
    areOwnSubMerchants(own, resource)
  );
}

function areOwnSubMerchants(own: Payee, { sub_mchid }: JsonObject): boolean {
  return given(sub_mchid).every((id) => includes(own.subMerchantIds, id));
}

function areOwnApps(own: Payee, { appid, sp_appid, sub_appid }: JsonObject): boolean {
  return given(appid, sp_appid, sub_appid).every((id) => includes(own.appIds, id));
}

function includes(known: readonly string[], value: unknown): boolean {
  return typeof value === 'string' && known.includes(value);
}

/** An absent, null or empty number states nothing. */
function given(...values: unknown[]): unknown[] {
  return values.filter((value) => value !== undefined && value !== null && value !== '');
}
