/**
 * The common interface of all signers: simulator, demonstration and tests are generic over
 * `ProviderSigner`.
 */

export type SignerId = 'alipay' | 'wechatpay' | 'wechatpay-v2';

/** One HTTP POST to a notify address. Header names are lower-case. */
export interface SignedRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** A genuine notification, with the data that its signer needs to send it again or to forge it. */
export interface SignedNotification<Content = unknown> extends SignedRequest {
  /** Alipay `notify_id`, v3 `id`; null for v2, which has none. */
  readonly notificationId: string | null;
  readonly content: Content;
}

/** Names and values in wire order; a name may be repeated. */
export type Fields = readonly (readonly [name: string, value: string])[];

export interface PaymentInput {
  /** `out_trade_no`. */
  readonly orderNumber: string;
  /** `trade_no` or `transaction_id`. */
  readonly trade: string;
  /** Fen: the order's amount, not what the buyer paid after coupons. */
  readonly amount: bigint;
  readonly paidAt: Date;
  /** Generated if omitted; ignored by v2. */
  readonly notificationId?: string;
  /** The merchant's free text: Alipay `subject`, WeChat `attach`. */
  readonly text?: string;
}

export interface RefundInput {
  readonly orderNumber: string;
  readonly trade: string;
  /** Fen: the order's amount. */
  readonly amount: bigint;
  /** The merchant's refund number at Alipay, the provider's `refund_id` at WeChat. */
  readonly refundId: string;
  /** Fen: this refund alone (as WeChat states it). */
  readonly refundAmount: bigint;
  /** Fen: all refunds of the trade so far, including this one (as Alipay states it). */
  readonly refundedTotal: bigint;
  readonly refundedAt: Date;
  /** True when nothing is left of the payment: Alipay closes the trade. */
  readonly full: boolean;
  /** Alipay repeats it; if omitted, the message does not have it. */
  readonly paidAt?: Date;
  readonly notificationId?: string;
}

/**
 * - `foreign_key`: well-formed in every respect, signed (v2 refunds: encrypted) with a key that is
 *   not the provider's
 * - `changed_content`: genuinely signed, then altered on the way (v2 refunds carry no signature:
 *   the cipher text is damaged)
 */
export type ForgeryKind = 'foreign_key' | 'changed_content';

/** One provider, as it behaves towards a merchant. */
export interface ProviderSigner<Content = unknown> {
  readonly id: SignerId;
  payment(input: PaymentInput): SignedNotification<Content>;
  refund(input: RefundInput): SignedNotification<Content>;
  /** The same notification again, as the provider repeats it: fresh time, nonce and signature. */
  resend(notification: SignedNotification<Content>): SignedNotification<Content>;
  forge(notification: SignedNotification<Content>, kind?: ForgeryKind): SignedRequest;
}

/** Returns the time of sending. */
export type Clock = () => Date;

/** The fields with the given ones replaced in place, or appended. */
export function withFields(fields: Fields, changes: Fields): Fields {
  const replacements = new Map(changes);
  const known = new Set(fields.map(([name]) => name));
  return [
    ...fields.map(([name, value]) => [name, replacements.get(name) ?? value] as const),
    ...changes.filter(([name]) => !known.has(name)),
  ];
}

export function withoutFields(fields: Fields, ...names: string[]): Fields {
  return fields.filter(([name]) => !names.includes(name));
}

/** The first value of that name. */
export function fieldValue(fields: Fields, name: string): string | undefined {
  return fields.find(([candidate]) => candidate === name)?.[1];
}
