/** A separate database per test, and notifications as the worker would apply them. */
import { createHash, randomUUID } from 'node:crypto';
import { createLog } from '@payonce/core/runtime/log';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { createPrisma } from '@payonce/prisma/client';
import type { OrderStatement, PaymentEvent } from '@payonce/providers/event';
import type { Fact } from '@payonce/providers/fact';
import { createTestDatabasePool, POOLED_CLIENT } from '@payonce/testkit/stores/test-database-pool';
import { inject, onTestFinished } from 'vitest';

const MERCHANT = 'default';

/** A log that writes nothing. */
export const silent = createLog({ name: 'test', level: 'silent' });

export const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, n));

export interface TestDatabase extends DatabaseDeps {
  readonly url: string;
  /** The time of `clock`; tests advance it. */
  now: Date;
}

const takeDatabase = createTestDatabasePool((url) =>
  createPrisma({ url, poolSize: 10, applicationName: POOLED_CLIENT }),
);

/** With a client of ten connections. */
export async function testDatabase(): Promise<TestDatabase> {
  const { url, client, release } = await takeDatabase({
    postgresUrl: inject('postgresUrl'),
    templateDatabase: inject('templateDatabase'),
  });
  onTestFinished(release);
  const database = {
    url,
    prisma: client,
    log: silent,
    now: minute(0),
    clock: () => database.now,
  };
  return database;
}

/** Terms of an order of 88.88 yuan. */
export const terms = (number: string, amount = 8888n) => ({
  merchant: MERCHANT,
  number,
  amount,
  currency: 'CNY',
});

/** The statement of a notification about an order, by default: 88.88 paid by Alipay. */
export function statement(
  orderNumber: string,
  trade: string,
  facts: readonly Fact[],
  changes: Partial<OrderStatement> = {},
): OrderStatement {
  return {
    kind: 'order',
    rail: 'alipay',
    orderNumber,
    trade,
    amount: 8888n,
    currency: 'CNY',
    payeeMatches: true,
    signed: true,
    facts,
    ...changes,
  };
}

export const paid = (trade: string, at: Date | null = minute(1), amount = 8888n): Fact => ({
  kind: 'paid',
  rail: 'alipay',
  trade,
  amount,
  at,
});

export const refundTotal = (trade: string, amount: bigint): Fact => ({
  kind: 'refund_total',
  rail: 'alipay',
  trade,
  amount,
  at: minute(5),
});

/** A payment notice of an order. */
export const payment = (
  orderNumber: string,
  trade = `T-${orderNumber}`,
  changes: Partial<OrderStatement> = {},
) => statement(orderNumber, trade, [paid(trade)], changes);

export function notification(
  events: PaymentEvent | readonly PaymentEvent[],
  changes: Partial<VerifiedNotification> = {},
): VerifiedNotification {
  const notificationId = changes.notificationId ?? randomUUID();
  const list = Array.isArray(events) ? events : [events];
  const content = JSON.stringify(list, (_name, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return {
    provider: 'alipay',
    channel: 'shop-alipay',
    merchant: MERCHANT,
    notificationId,
    digest: createHash('sha256').update(content).digest('hex'),
    authenticity: 'signed',
    receivedAt: minute(2),
    body: Buffer.from(`body of ${notificationId} \xff`, 'latin1'),
    headers: {},
    events: list,
    ...changes,
  };
}

/**
 * Applies a batch. Returns per notification the outcomes of its events, a held one by its reason.
 */
export async function apply(deps: DatabaseDeps, ...batch: VerifiedNotification[]) {
  const outcomes = await applyNotifications(deps, batch);
  return outcomes.map(({ events }) =>
    events.map((event) => (event.outcome === 'held' ? event.reason : event.outcome)),
  );
}

/** An order with its related rows. */
export async function orderRow({ prisma }: DatabaseDeps, number: string) {
  return prisma.order.findUniqueOrThrow({
    where: { merchant_number: { merchant: MERCHANT, number } },
    include: {
      facts: { orderBy: { key: 'asc' } },
      orderEvents: { orderBy: { id: 'asc' } },
      trades: true,
    },
  });
}

/** `type milestone@version`, in the order they were written. */
export async function toldEvents(deps: DatabaseDeps, number: string): Promise<string[]> {
  const { orderEvents } = await orderRow(deps, number);
  return orderEvents.map((event) => `${event.type} ${event.milestone}@${event.version}`);
}

export async function notificationRow(
  { prisma }: DatabaseDeps,
  { notificationId }: { readonly notificationId: string },
) {
  return prisma.notification.findFirstOrThrow({
    where: { notificationId, variant: '' },
    include: { events: { orderBy: { position: 'asc' } } },
  });
}
