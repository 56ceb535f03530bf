/**
 * What the provider's side of a run knows. The load writes it, the checker reads it; neither knows
 * anything of payonce's inside.
 */

/** A notification as the provider means it; every copy and re-send of it says the same. */
export interface ToldNotification {
  /** Made by the load; unique in the run. */
  readonly key: string;
  readonly provider: 'alipay' | 'wechatpay' | 'wechatpay-v2';
  readonly orderNumber: string;
  readonly trade: string;
  /** A text that stands in the queue's job ID of this notification (`notify_id`, `id`, v2: the trade or refund number). */
  readonly jobToken: string;
  readonly says:
    | { readonly kind: 'payment'; readonly amount: bigint }
    | {
        readonly kind: 'refund';
        readonly refundId: string;
        readonly amount: bigint;
        /** All refunds of the trade up to this one. */
        readonly refundedTotal: bigint;
        /** True for v2 notices, which are not signed and move nothing. */
        readonly unsigned: boolean;
      }
    /** Nobody paid in time. */
    | { readonly kind: 'closed' };
  /** Signed with another's key: must never be acknowledged, and changes nothing. */
  readonly forged: boolean;
}

/** One HTTP request that carried a copy of a notification. Times: milliseconds since the epoch, with fractions. */
export interface Sending {
  readonly key: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Null when no whole reply came. */
  readonly status: number | null;
  /** By the provider's own rule for the reply. */
  readonly acknowledged: boolean;
}

/** What is to be paid; registered before, during or after its notifications. */
export interface ToldOrder {
  readonly merchant: string;
  readonly number: string;
  readonly amount: bigint;
  /** False when it is never registered: its notifications must be held as `unknown_order`. */
  readonly registered: boolean;
}

/** The proxies' own log: a job ID passed whole, towards a store that was given it. */
export interface StoreAdd {
  readonly at: number;
  readonly store: 'redis' | 'postgres';
  readonly jobId: string;
}

/** What an order event says; fields that are not there are empty. */
export interface ArrivedEvent {
  readonly type: string;
  readonly merchant: string;
  readonly orderNumber: string;
  readonly milestone: string;
  readonly version: number;
  readonly paid: bigint | null;
  readonly refunded: bigint | null;
  /** Every byte: copies say the same. */
  readonly body: string;
}

/** One whole request that reached the merchant's system. */
export interface Arrival {
  readonly at: number;
  readonly webhookId: string;
  /** By its own key and a fresh time. */
  readonly signed: boolean;
  /** Null when it is not signed, or no order event. */
  readonly event: ArrivedEvent | null;
  /** The status that it was answered with, whether or not that came back; null: never answered. */
  readonly answer: number | null;
}

/**
 * Notifications that an onlooker, by looks of its own into the database, saw waiting too long.
 * - `held_up`: something was locked that did not concern them, and they stood
 * - `began_late`: what they needed was back, and they stood on
 */
export interface Delay {
  readonly kind: 'held_up' | 'began_late';
  readonly at: number;
  /** Of the notifications. */
  readonly keys: readonly string[];
}

export interface Ledger {
  readonly orders: readonly ToldOrder[];
  readonly notifications: readonly ToldNotification[];
  readonly sendings: readonly Sending[];
  readonly adds: readonly StoreAdd[];
  readonly arrivals: readonly Arrival[];
  readonly delays: readonly Delay[];
}

/** Of one stretch of the run (a fault and its recovery), or of all of it. */
export interface Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged notifications that are where the provider's truth demands. */
  readonly applied: number;
  /** Acknowledged, and not in the outcome that the provider's truth demands. */
  readonly lost: number;
  /** Orders with more than one `order.paid`, or with amounts other than the provider's truth. */
  readonly doubled: number;
  /** Acknowledged while no add reached a store during that request. */
  readonly falselyAcknowledged: number;
  readonly forgedAccepted: number;
  /** Rows beyond the first of what is one notification, however its copies were cut or wrapped. */
  readonly rowsPerContent: number;
  /** Genuine notifications that are held as another content of a known ID. */
  readonly conflicts: number;
  /** Genuine notifications whose job is a dead letter that nobody has re-driven. */
  readonly deadLetters: number;
  /** Genuine payments that are refused because another merchant told of their trade. */
  readonly foreignTradeBlocked: number;
  /** Notifications whose raw bytes are gone, though all of them are minutes old. */
  readonly evidenceDropped: number;
  /** Notifications that waited for a lock that did not concern them. */
  readonly heldUp: number;
  /** Notifications that stood on though what they had waited for was back. */
  readonly beganLate: number;
  /** Order events that the merchant must have been told of the orders concerned. */
  readonly eventsExpected: number;
  /** Of `eventsExpected`: taken by the merchant's system, signed. */
  readonly eventsDelivered: number;
  readonly eventsLost: number;
  /** Requests to the merchant's system without a signature that it can trust. */
  readonly eventsUnsigned: number;
  /** Taken after a later one of the same order was. */
  readonly eventsOutOfOrder: number;
  /** Told though it is not so, or told twice under different IDs. */
  readonly eventsFalse: number;
  /** Rows of the outbox that tell a second time what one row tells. */
  readonly orderEventsTwice: number;
  /** Deliveries that are still to be made when nothing is broken any more. */
  readonly deliveriesStuck: number;
}
