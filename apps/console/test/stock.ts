/** The rows of two merchants, to test who may see and change them. */

import { systemClock } from '@payonce/core/runtime/clock';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters/dead-letters';
import { notificationOf, paid, receive } from './received.js';
import { call, silent, type TestConsole } from './support.js';

/** IDs of one merchant's rows. All of its names and texts contain `mark`. */
export interface Stock {
  readonly mark: string;
  readonly merchant: string;
  readonly order: string;
  /** The order's row. */
  readonly orderRow: string;
  readonly notification: string;
  /** Three notifications with a held event: to retry, to accept, to reject. */
  readonly held: readonly [string, string, string];
  readonly orderEvent: string;
  readonly delivery: string;
  readonly endpoint: string;
  /** One for each deletion of a test. */
  readonly doomed: string[];
}

/** Endpoints to delete: one for each caller, and some more. */
const DOOMED = 20;

export async function stockFor(server: TestConsole, mark: string): Promise<Stock> {
  const { prisma } = server;
  const merchant = `${mark}-shop`;
  const order = `${mark}-1`;
  const now = new Date();
  const endpointOf = (name: string) => ({
    ...{ merchant, name, url: `https://${mark}.example/${name}`, source: 'api' },
    ...{ secret: Buffer.from('sealed'), createdAt: now, updatedAt: now },
  });
  const endpoint = await prisma.webhookEndpoint.create({ data: endpointOf(`${mark}-erp`) });
  await call(server, 'POST', '/orders', {
    payload: { merchant, orderNumber: order, amount: '8888' },
  });
  const one = (amount: bigint, trade: string) =>
    notificationOf([paid(order, { amount, trade: `${mark}-${trade}` })], {
      ...{ merchant, channel: `${mark}-alipay`, notificationId: `${mark}-${trade}` },
      body: Buffer.from(`out_trade_no=${order}`),
    });
  const ids = await receive(
    server,
    ...[one(8888n, 'paid'), one(1n, 'low'), one(2n, 'lower'), one(3n, 'lowest')],
  );
  const [notification = '', ...held] = ids.map(String);
  const orderRow = await prisma.order.findFirstOrThrow({ where: { merchant } });
  const orderEvent = await prisma.orderEvent.findFirstOrThrow({
    where: { merchant, type: 'order.paid' },
  });
  const delivery = await prisma.delivery.create({
    data: {
      ...{ endpointId: endpoint.id, orderEventId: orderEvent.id, orderId: orderRow.id },
      ...{ nextAttemptAt: now, createdAt: now },
    },
  });
  // Disabled, so that nothing is sent to them.
  const doomed = await prisma.webhookEndpoint.createManyAndReturn({
    data: Array.from({ length: DOOMED }, (_, index) => ({
      ...endpointOf(`${mark}-doomed-${index}`),
      ...{ disabledAt: now, disabledReason: 'operator' },
    })),
  });
  return {
    ...{ mark, merchant, order, notification, held: held as unknown as Stock['held'] },
    orderRow: orderRow.id.toString(),
    orderEvent: orderEvent.id.toString(),
    delivery: delivery.id.toString(),
    endpoint: endpoint.id.toString(),
    doomed: doomed.map(({ id }) => id.toString()),
  };
}

/** A row of no merchant, although its text may name one. @returns its ID */
export async function deadLetterOf({ prisma }: TestConsole, mark: string): Promise<string> {
  const letter = {
    queue: 'redis',
    jobId: `${mark}-job`,
    job: {},
    reason: 'malformed_job',
  } as const;
  await recordDeadLetter({ prisma, log: silent, clock: systemClock }, letter);
  const { id } = await prisma.deadLetter.findFirstOrThrow({ where: { jobId: letter.jobId } });
  return id.toString();
}
