/** For one window of the run (a fault and its recovery), or for all of it. */
export interface Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged notifications in the state that the oracle expects. */
  readonly applied: number;
  /** Acknowledged, and not with the outcome that the oracle expects. */
  readonly lost: number;
  /** Orders with more than one `order.paid`, or with amounts other than the oracle's. */
  readonly doubled: number;
  /** Acknowledged although no add reached a store during that request. */
  readonly falselyAcknowledged: number;
  readonly forgedAccepted: number;
  /** Additional rows of one notification, however its copies were cut or wrapped. */
  readonly rowsPerContent: number;
  /** Genuine notifications that are held as another content of a known ID. */
  readonly conflicts: number;
  /** Genuine notifications whose job is an open dead letter. */
  readonly deadLetters: number;
  /** Genuine payments that are refused because another merchant claimed their trade. */
  readonly foreignTradeBlocked: number;
  /** Notifications without their raw bytes, although all of them are minutes old. */
  readonly evidenceDropped: number;
  /** Notifications that waited for a lock that did not concern them. */
  readonly heldUp: number;
  /** Notifications that still waited after the missing part was back. */
  readonly beganLate: number;
  /** Order events that the merchant must have received for the orders concerned. */
  readonly eventsExpected: number;
  /** Of `eventsExpected`: taken by the merchant's system, signed. */
  readonly eventsDelivered: number;
  readonly eventsLost: number;
  /** Requests to the merchant's system without a valid signature. */
  readonly eventsUnsigned: number;
  /** Taken after a later one of the same order. */
  readonly eventsOutOfOrder: number;
  /** False events, or events sent with two different IDs. */
  readonly eventsFalse: number;
  /** Rows of the outbox that repeat another row. */
  readonly orderEventsTwice: number;
  /** Deliveries that are pending although all faults are over. */
  readonly deliveriesStuck: number;
}
