import type { Role } from '@payonce/orders/access/api-keys';
import type { Merchants } from '@payonce/orders/access/merchants';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { maskText } from '../masking/text.js';
import { pageOf } from '../schemas/fields.js';
import { whereMerchant } from './where-merchant.js';
import { withStatementTimeout } from './with-statement-timeout.js';

export const DELIVERY_STATES = ['pending', 'delivered', 'parked'] as const;

/** Empty fields do not filter. */
export interface DeliveryQuery {
  readonly cursor?: bigint | undefined;
  readonly state?: (typeof DELIVERY_STATES)[number] | '' | undefined;
  readonly endpoint?: bigint | undefined;
  readonly endpointName?: string | undefined;
  readonly merchant?: string | undefined;
  readonly orderNumber?: string | undefined;
}

export const deliveryInclude = {
  endpoint: { select: { id: true, name: true, merchant: true, disabledAt: true } },
  orderEvent: {
    select: {
      type: true,
      merchant: true,
      order: { select: { merchant: true, number: true } },
      notificationEvent: { select: { notificationRowId: true, orderNumber: true } },
    },
  },
} as const satisfies Prisma.DeliveryInclude;

export type DeliveryRow = Prisma.DeliveryGetPayload<{ include: typeof deliveryInclude }>;

/** Deliveries of these merchants, the newest first. */
export async function readDeliveries(
  prisma: PrismaClient,
  merchants: Merchants,
  query: DeliveryQuery,
  limit: number,
) {
  const endpoint = {
    ...(query.endpointName && { name: query.endpointName }),
    ...(query.merchant && { merchant: query.merchant }),
    ...whereMerchant(merchants),
  };
  const found = await withStatementTimeout(prisma, (tx) =>
    tx.delivery.findMany({
      where: {
        ...(query.cursor && { id: { lt: query.cursor } }),
        ...(query.state && { state: query.state }),
        ...(query.endpoint && { endpointId: query.endpoint }),
        ...(Object.keys(endpoint).length > 0 && { endpoint }),
        ...(query.orderNumber && { orderEvent: { order: { number: query.orderNumber } } }),
      },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  const { rows, nextCursor } = pageOf(found, limit);
  const deliveries = await prisma.delivery.findMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    include: deliveryInclude,
    orderBy: { id: 'desc' },
  });
  return { rows: deliveries, nextCursor };
}

export function readDelivery(prisma: PrismaClient, id: bigint): Promise<DeliveryRow> {
  return prisma.delivery.findUniqueOrThrow({ where: { id }, include: deliveryInclude });
}

type StoredAttempt = Prisma.DeliveryAttemptGetPayload<object>;

/** The response of another system: as text, masked unless it is for an administrator's key. */
export interface AttemptRow extends Omit<StoredAttempt, 'response'> {
  readonly response: string | null;
}

/** Another system's response may name a payer. Invalid UTF-8 in it shows as U+FFFD. */
export function maskAttempt(row: StoredAttempt, role: Role): AttemptRow {
  const shown = (text: string) => (role === 'admin' ? text : maskText(text));
  const { error, response } = row;
  return {
    ...row,
    error: error === null ? null : shown(error),
    response: response === null ? null : shown(Buffer.from(response).toString('utf8')),
  };
}

/** A delivery is tried some ten times a round, over days. */
const MAX_ATTEMPTS = 100;
const detailInclude = {
  ...deliveryInclude,
  orderEvent: { select: { ...deliveryInclude.orderEvent.select, payload: true } },
  history: { orderBy: { id: 'desc' }, take: MAX_ATTEMPTS },
} as const;

/** One delivery with its payload and its latest attempts, masked; null when there is none. */
export async function findDelivery(prisma: PrismaClient, id: bigint) {
  const row = await prisma.delivery.findUnique({ where: { id }, include: detailInclude });
  return row && { ...row, history: row.history.map((attempt) => maskAttempt(attempt, 'read')) };
}
export type DeliveryDetailRow = NonNullable<Awaited<ReturnType<typeof findDelivery>>>;
