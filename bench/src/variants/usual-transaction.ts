import { createPrisma, type PrismaClient } from '@payonce/prisma/client';

/** The part of a payment notice that the usual handler needs. */
export interface Paid {
  readonly channel: string;
  readonly merchant: string;
  readonly notificationId: string;
  readonly digest: string;
  readonly receivedAt: Date;
  readonly body: Buffer;
  readonly orderNumber: string;
  readonly amount: bigint;
}

export function openUsualDatabase(poolSize: number): PrismaClient {
  return createPrisma({
    url: process.env.DATABASE_URL ?? '',
    poolSize,
    applicationName: 'payonce-bench',
  });
}

/**
 * One interactive transaction for one notification: SELECT the order, INSERT the notification (its
 * unique key is the guard against copies), UPDATE the order. It has a third of payonce's
 * statements, without facts, trades and order events.
 */
export async function applyTheUsualWay(prisma: PrismaClient, paid: Paid): Promise<void> {
  const { merchant, orderNumber: number, amount, body, ...notification } = paid;
  const now = new Date();
  await prisma.$transaction(
    async (tx) => {
      const order = await tx.order.findUnique({
        where: { merchant_number: { merchant, number } },
        select: { id: true, amount: true, status: true },
      });
      if (order?.amount !== amount) throw new Error('not the amount of this order');
      await tx.notification.create({
        data: {
          ...notification,
          merchant,
          body: new Uint8Array(body),
          provider: 'alipay',
          authenticity: 'signed',
          headers: {},
          status: 'applied',
          createdAt: now,
        },
        select: { id: true },
      });
      if (order.status !== 'pending') return;
      await tx.order.update({
        where: { id: order.id },
        data: {
          status: 'paid',
          paidAmount: amount,
          paidAt: now,
          primaryRail: 'alipay',
          primaryTrade: notification.notificationId,
          version: { increment: 1 },
          updatedAt: now,
        },
        select: { id: true },
      });
    },
    // More requests wait for a connection than there are; the default of two seconds would refuse
    // them.
    { maxWait: 30_000, timeout: 30_000 },
  );
}
