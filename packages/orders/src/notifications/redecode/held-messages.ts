/** Held notifications whose bytes are decoded again. */
import type { Prisma } from '@payonce/prisma/client';
import type { PaymentEvent } from '@payonce/providers/event';
import type { Tx } from '../../database/transaction.js';
import { type SharedId, sharedIdKey } from '../records/notification-identity.js';

/** A stored message with its bytes. */
export interface MessageRow extends SharedId {
  readonly id: bigint;
  readonly provider: string;
  readonly merchant: string;
  readonly variant: string;
  readonly digest: string;
  readonly textDigest: string | null;
  readonly receivedAt: Date;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** A message as the present release decodes it. */
export interface DecodedMessage {
  /** By the rule `text`. */
  readonly digest: string;
  readonly events: readonly PaymentEvent[];
}

/**
 * A held message and its present decoding. The same of the first content under its ID, if that is
 * another.
 */
export interface Candidate {
  readonly row: MessageRow;
  readonly decoded: DecodedMessage | null;
  readonly first: { readonly row: MessageRow; readonly decoded: DecodedMessage | null } | null;
}

const SELECTED = {
  id: true,
  channel: true,
  notificationId: true,
  provider: true,
  merchant: true,
  variant: true,
  digest: true,
  textDigest: true,
  receivedAt: true,
  body: true,
  headers: true,
} as const;

type Row = Prisma.NotificationGetPayload<{ select: typeof SELECTED }>;

/**
 * Notifications with a held event, in the order of their rows. `onlyFormer`: those of the previous
 * release.
 */
export async function findHeldMessages(
  prisma: Pick<Tx, 'notification'>,
  asked: { readonly after: bigint; readonly limit: number; readonly onlyFormer: boolean },
): Promise<MessageRow[]> {
  const rows = await prisma.notification.findMany({
    where: {
      status: 'held',
      id: { gt: asked.after },
      ...(asked.onlyFormer && { textDigest: null }),
    },
    select: SELECTED,
    orderBy: { id: 'asc' },
    take: asked.limit,
  });
  return rows.map(toMessage);
}

/** The first contents under these IDs, by `sharedIdKey`. */
export async function findFirstContents(
  prisma: Pick<Tx, 'notification'>,
  ids: readonly SharedId[],
): Promise<Map<string, MessageRow>> {
  if (ids.length === 0) return new Map();
  const distinct = new Map(
    ids.map(({ channel, notificationId }) => [
      sharedIdKey({ channel, notificationId }),
      { channel, notificationId, variant: '' },
    ]),
  );
  const rows = await prisma.notification.findMany({
    where: { OR: [...distinct.values()] },
    select: SELECTED,
  });
  return new Map(rows.map((row) => [sharedIdKey(row), toMessage(row)]));
}

function toMessage({ body, headers, ...row }: Row): MessageRow {
  return { ...row, body: Buffer.from(body), headers: headers as Record<string, string> };
}

/** The present decoding of these rows and of the first contents of their IDs, by row. */
export function decodedContents(
  candidates: readonly Candidate[],
): ReadonlyMap<bigint, DecodedMessage> {
  return new Map(
    candidates
      .flatMap(({ row, decoded, first }) => [{ row, decoded }, ...(first ? [first] : [])])
      .flatMap(({ row, decoded }) => (decoded ? [[row.id, decoded] as const] : [])),
  );
}
