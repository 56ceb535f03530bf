/** Notifications as a worker applies them. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '@payonce/core/runtime/clock';
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import type { OrderStatement, PaymentEvent } from '@payonce/providers/event';
import type { TestConsole } from './support.js';
import { silent } from './support.js';

/** An event that states a payment of 88.88 through Alipay, unless changed. */
export function paid(orderNumber: string, changes: Partial<OrderStatement> = {}): OrderStatement {
  const trade = changes.trade ?? `T-${orderNumber}`;
  const amount = changes.amount ?? 8888n;
  return {
    kind: 'order',
    rail: 'alipay',
    orderNumber,
    trade,
    amount,
    currency: 'CNY',
    payeeMatches: true,
    signed: true,
    facts: [{ kind: 'paid', rail: 'alipay', trade, amount, at: new Date() }],
    ...changes,
  };
}

export function notificationOf(
  events: readonly PaymentEvent[],
  changes: Partial<VerifiedNotification> = {},
): VerifiedNotification {
  return {
    provider: 'alipay',
    channel: 'shop-alipay',
    merchant: 'default',
    notificationId: randomBytes(16).toString('hex'),
    digest: randomBytes(32).toString('hex'),
    authenticity: 'signed',
    receivedAt: new Date(),
    body: Buffer.from('a=b'),
    headers: {},
    events,
    ...changes,
  };
}

/** Applies them one after the other. @returns the notifications' rows */
export async function receive(
  { prisma }: Pick<TestConsole, 'prisma'>,
  ...notifications: readonly VerifiedNotification[]
): Promise<bigint[]> {
  const ids: bigint[] = [];
  for (const one of notifications) {
    await applyNotifications({ prisma, log: silent, clock: systemClock }, [one]);
    const { notificationId, digest } = one;
    const where = { notificationId, digest };
    ids.push((await prisma.notification.findFirstOrThrow({ where })).id);
  }
  return ids;
}
