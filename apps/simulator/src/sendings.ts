import type { Refusal } from '@payonce/testkit/sending/acknowledgement';
import type { SignerId } from '@payonce/testkit/signers/request';

/** One POST and its result. */
export interface Sending {
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
  readonly channel: string;
  readonly provider: SignerId;
  readonly kind: string;
  readonly orderNumber: string | null;
  readonly notificationId: string | null;
  /** 1, then the retries. */
  readonly attempt: number;
  /** The number among those posted at the same moment, from 1. */
  readonly copy: number;
  /** Null for a genuine one. */
  readonly forged: string | null;
  /** Null without a reply. */
  readonly status: number | null;
  readonly body: string | null;
  readonly latencyMs: number;
  /** The provider's verdict: accepted, or sent again. */
  readonly accepted: boolean;
  readonly reason: Refusal | 'timeout' | 'unreachable' | 'stopped' | null;
  /** The network's error text, without a reply. */
  readonly detail: string | null;
}

export interface Sendings {
  nextId(): number;
  add(sending: Sending): void;
  /** The latest first. */
  list(filter: SendingFilter): Sending[];
}

export interface SendingFilter {
  readonly orderNumber?: string | undefined;
  readonly notificationId?: string | undefined;
  readonly limit: number;
}

/** Keeps the last `capacity` sendings. */
export function createSendings(capacity: number): Sendings {
  const kept: Sending[] = [];
  let lastId = 0;
  return {
    nextId: () => ++lastId,
    add(sending) {
      kept.push(sending);
      if (kept.length > capacity) kept.shift();
    },
    list: ({ orderNumber, notificationId, limit }) =>
      kept
        .filter((sending) => orderNumber === undefined || sending.orderNumber === orderNumber)
        .filter((one) => notificationId === undefined || one.notificationId === notificationId)
        .reverse()
        .slice(0, limit),
  };
}
