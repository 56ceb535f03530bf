import type { NothingToApply, NotUnderstood, OrderStatement, PaymentEvent } from '../event.js';
import { isObject, type JsonObject } from './json.js';
import { isOwnPayment, isOwnRefund, isOwnSubOrder, type Payee } from './payee.js';
import { identifier, type Payment, payment, refund, subOrder } from './shapes.js';
import type { WechatpayMessage } from './verify.js';

/**
 * Decodes a genuine notification, order by order (docs/providers/wechatpay.md, "Event types").
 * Never empty, never throws: an unreadable but genuine notification is `unsupported`, and waits for
 * a person with its raw bytes.
 */
export function decode(own: Payee, { eventType, resource }: WechatpayMessage): PaymentEvent[] {
  if (resource === null) return [unsupported(eventType, {})];
  switch (eventType) {
    case 'TRANSACTION.SUCCESS':
    case 'TRANSACTION.FAIL':
      return decodeTransaction(own, eventType, resource);
    case 'REFUND.SUCCESS':
    case 'REFUND.CLOSED':
    case 'REFUND.ABNORMAL':
      return [decodeRefund(own, eventType, resource)];
    default:
      return [unsupported(eventType, resource)];
  }
}

/** The event type does not distinguish single, partner and combined orders: the fields do. */
function decodeTransaction(own: Payee, eventType: string, resource: JsonObject): PaymentEvent[] {
  if (resource.combine_out_trade_no === undefined && resource.sub_orders === undefined) {
    const payeeMatches = isOwnPayment(own, resource);
    return [decodePayment(eventType, resource, payment, payeeMatches)];
  }
  const { sub_orders: subOrders } = resource;
  if (!Array.isArray(subOrders) || subOrders.length === 0) return [unsupported(eventType, {})];
  // Each by itself: an unreadable one must not delay the others.
  return subOrders.map((item: unknown) =>
    isObject(item)
      ? decodePayment(eventType, item, subOrder, isOwnSubOrder(own, resource, item))
      : unsupported(eventType, {}),
  );
}

function decodePayment(
  eventType: string,
  resource: JsonObject,
  shape: typeof payment | typeof subOrder,
  payeeMatches: boolean,
): PaymentEvent {
  const { trade_state: state } = resource;
  if (typeof state !== 'string' || state === '') return unsupported(eventType, resource);
  if (state !== 'SUCCESS') return nothing(state, resource);
  // A failure event with the state SUCCESS contradicts itself.
  if (eventType !== 'TRANSACTION.SUCCESS') return unsupported(eventType, resource);
  const read = shape.safeParse(resource);
  if (!read.success) return unsupported(eventType, resource);
  const { success_time: at, amount, transaction_id: trade } = read.data;
  return {
    ...statement(read.data, payeeMatches),
    facts: [{ kind: 'paid', rail: 'wechat', trade, amount: amount.total, at }],
  };
}

function decodeRefund(own: Payee, eventType: string, resource: JsonObject): PaymentEvent {
  const read = refund.safeParse(resource);
  if (!read.success || eventType !== `REFUND.${read.data.refund_status}`) {
    return unsupported(eventType, resource);
  }
  const { transaction_id: trade, success_time: at, amount, refund_id, refund_status } = read.data;
  return {
    ...statement(read.data, isOwnRefund(own, resource)),
    facts: [
      // A refund implies a payment, even if the payment's notice was lost; its time is not stated
      // here.
      { kind: 'paid', rail: 'wechat', trade, amount: amount.total, at: null },
      {
        kind: 'refund',
        rail: 'wechat',
        trade,
        refundId: refund_id,
        status: refund_status,
        amount: amount.refund,
        at,
      },
    ],
  };
}

function statement(read: Payment, payeeMatches: boolean): Omit<OrderStatement, 'facts'> {
  return {
    kind: 'order',
    rail: 'wechat',
    orderNumber: read.out_trade_no,
    trade: read.transaction_id,
    amount: read.amount.total,
    currency: read.amount.currency,
    payeeMatches,
    signed: true,
  };
}

function nothing(state: string, resource: JsonObject): NothingToApply {
  return { kind: 'nothing', orderNumber: orderNumberOf(resource), says: safeLabel(state) };
}

function unsupported(eventType: string, resource: JsonObject): NotUnderstood {
  return { kind: 'unsupported', orderNumber: orderNumberOf(resource), says: eventType };
}

function orderNumberOf(resource: JsonObject): string | null {
  const read = identifier.safeParse(resource.out_trade_no);
  return read.success ? read.data : null;
}

/**
 * Safe to store and show: bounded, and without characters that a database or a terminal rejects.
 */
function safeLabel(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?');
}
