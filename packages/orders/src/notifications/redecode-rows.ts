/** SQL of held notifications whose bytes are decoded again. */
import type { Prisma } from '@payonce/prisma/client';
import type { PaymentEvent } from '@payonce/providers/event';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { type ContentsId, contentsKey } from './content-rows.js';

/** A stored message with its bytes. */
export interface MessageRow extends ContentsId {
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
export async function heldMessages(
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

/** The first contents under these IDs, by `contentsKey`. */
export async function firstsOf(
  prisma: Pick<Tx, 'notification'>,
  ids: readonly ContentsId[],
): Promise<Map<string, MessageRow>> {
  if (ids.length === 0) return new Map();
  const distinct = new Map(
    ids.map(({ channel, notificationId }) => [
      contentsKey({ channel, notificationId }),
      { channel, notificationId, variant: '' },
    ]),
  );
  const rows = await prisma.notification.findMany({
    where: { OR: [...distinct.values()] },
    select: SELECTED,
  });
  return new Map(rows.map((row) => [contentsKey(row), toMessage(row)]));
}

function toMessage({ body, headers, ...row }: Row): MessageRow {
  return { ...row, body: Buffer.from(body), headers: headers as Record<string, string> };
}

/**
 * Locks held messages with the first contents under their IDs; waits for no lock.
 * @returns the rows that are locked together with their first contents, and unchanged since they
 * were read
 */
export async function lockUndecided(
  tx: Tx,
  candidates: readonly Candidate[],
): Promise<ReadonlySet<bigint>> {
  const ids = new Set(
    candidates.flatMap(({ row, first }) => [row.id, ...(first ? [first.row.id] : [])]),
  );
  const rows = await tx.$queryRaw<{ id: bigint; status: string; textDigest: string | null }[]>`
    SELECT id, status, text_digest AS "textDigest" FROM notifications
    WHERE id = ANY(${[...ids]}::bigint[]) ORDER BY variant <> '', id FOR UPDATE SKIP LOCKED`;
  const locked = new Map(rows.map((row) => [row.id, row]));
  return new Set(
    candidates.flatMap(({ row, first }) => {
      const now = locked.get(row.id);
      const isSame = now?.status === 'held' && now.textDigest === row.textDigest;
      return isSame && (first === null || locked.has(first.row.id)) ? [row.id] : [];
    }),
  );
}

/**
 * Stores the digest by the rule `text` for these rows and the first contents of their IDs. That
 * rule then judges them.
 */
export async function storeTextDigests(tx: Tx, candidates: readonly Candidate[]): Promise<void> {
  const digests = new Map(
    candidates
      .flatMap(({ row, decoded, first }) => [{ row, decoded }, ...(first ? [first] : [])])
      .flatMap(({ row, decoded }) => (decoded ? [[row.id, decoded.digest] as const] : [])),
  );
  if (digests.size === 0) return;
  const rows = [...digests].map(([id, digest]) => ({ id: String(id), digest }));
  await tx.$executeRaw`
    UPDATE notifications n SET text_digest = d.digest
    FROM ${recordset(rows, { id: 'bigint', digest: 'text' })} AS d
    WHERE n.id = d.id AND n.text_digest IS NULL`;
}
