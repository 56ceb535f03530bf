/** Claims the deliveries that are due, for one worker at a time. */

import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import { type EncryptionKeys, sealedUnder } from '../endpoints/encryption-keys.js';
import { openSecret } from '../endpoints/secret.js';
import { isHandler } from '../endpoints/url.js';
import { isOpen } from './circuit.js';
import { isLeased } from './lease.js';
import { latestAttemptAt } from './misdated.js';
import type { RetrySchedule } from './retry.js';

/**
 * A delivery that this worker holds until `leaseUntil`. That time also distinguishes its result
 * from a later one.
 */
export interface ClaimedDelivery {
  readonly id: bigint;
  readonly leaseUntil: Date;
  readonly attempts: number;
  readonly orderEventId: bigint;
  readonly type: string;
  readonly payload: unknown;
  readonly createdAt: Date;
}

/**
 * The destination and its secrets: the present secret first, then the previous one in its grace
 * period.
 */
export interface Target {
  readonly id: bigint;
  readonly merchant: string;
  readonly name: string;
  readonly url: string;
  /** Empty for handlers. */
  readonly secrets: readonly Buffer[];
}

export type DeliveryClaim =
  | {
      readonly result: 'claimed';
      readonly target: Target;
      readonly deliveries: readonly ClaimedDelivery[];
    }
  | { readonly result: 'nothing' }
  /** Its secret does not open: it was sealed with another PAYONCE_ENCRYPTION_KEY. */
  | {
      readonly result: 'cannot_sign';
      readonly merchant: string;
      readonly name: string;
      /** The ID of the key that sealed its secret; null for one without an ID. */
      readonly key: string | null;
    };

/** What this process can deliver to. */
export interface SenderCapabilities {
  readonly encryptionKeys: EncryptionKeys | null;
  /** Names of the handlers in this process. */
  readonly handlers: readonly string[];
}

export interface DueWork {
  /** Order events wait for the creation of their deliveries. */
  readonly hasUnfannedEvents: boolean;
  /** Deliveries wait for an endpoint that is disabled or deleted. */
  readonly hasOrphans: boolean;
  /** Deliveries wait for a time further ahead than any attempt is planned. */
  readonly hasMisdated: boolean;
  /** Enabled endpoints with due deliveries and a closed circuit. */
  readonly due: readonly bigint[];
}

/** Looks for work, in one statement; usually there is none. */
export async function findDueWork(
  { prisma, clock, scheduleMs }: DatabaseDeps & RetrySchedule,
  { encryptionKeys, handlers }: SenderCapabilities,
): Promise<DueWork> {
  const now = clock();
  const urls = handlers.map((name) => `handler:${name}`);
  const [row] = await prisma.$queryRaw<DueWork[]>`
    SELECT (SELECT id FROM order_events WHERE fanned_out_at IS NULL ORDER BY id LIMIT 1) IS NOT NULL
        AS "hasUnfannedEvents",
      EXISTS (SELECT FROM webhook_endpoints e
        WHERE (e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL) AND EXISTS (
          SELECT FROM deliveries d WHERE d.state = 'pending' AND d.endpoint_id = e.id)) AS "hasOrphans",
      EXISTS (SELECT FROM webhook_endpoints e WHERE EXISTS (
        SELECT FROM deliveries d WHERE d.state = 'pending' AND d.endpoint_id = e.id
          AND d.next_attempt_at > ${latestAttemptAt(now, scheduleMs)})) AS "hasMisdated",
      ARRAY(SELECT e.id FROM webhook_endpoints e
        WHERE e.deleted_at IS NULL AND e.disabled_at IS NULL
          AND NOT ${isOpen(now)}
          AND CASE WHEN e.url LIKE 'handler:%' THEN e.url = ANY(${urls}::text[])
            ELSE ${encryptionKeys !== null} END
          AND EXISTS (SELECT FROM deliveries d WHERE d.state = 'pending' AND d.endpoint_id = e.id
            AND d.next_attempt_at <= ${now} AND NOT ${isLeased(now, 'd')})
        ORDER BY e.id) AS due`;
  return row ?? { hasUnfannedEvents: false, hasOrphans: false, hasMisdated: false, due: [] };
}

/**
 * Claims deliveries of one endpoint. It locks the endpoint, so that workers claim one after the
 * other. A failing endpoint gets one delivery at a time, so that it takes no room from others.
 * After an open circuit only one worker sends one delivery, until its result is recorded.
 * @param room how many more this process takes for the endpoint
 */
export async function claimDeliveries(
  deps: DatabaseDeps,
  { encryptionKeys }: SenderCapabilities,
  endpointId: bigint,
  { room, inHand, leaseMs }: { room: number; inHand: number; leaseMs: number },
): Promise<DeliveryClaim> {
  return inTransaction(deps, async (tx): Promise<DeliveryClaim> => {
    const now = deps.clock();
    const endpoint = await lockTarget(tx, endpointId, now);
    if (endpoint === null) return { result: 'nothing' };
    const { merchant, name, url, failures, openUntil } = endpoint;
    const secrets = isHandler(url) ? [] : secretsOf(endpoint, encryptionKeys, now);
    if (secrets === null) return { result: 'cannot_sign', merchant, name, key: keyOf(endpoint) };
    const limit = failures > 0 ? Math.min(room, 1 - inHand) : room;
    if (limit <= 0) return { result: 'nothing' };
    const leaseUntil = new Date(now.getTime() + leaseMs);
    const deliveries = await lease(tx, now, endpointId, limit, leaseUntil);
    if (deliveries.length === 0) return { result: 'nothing' };
    if (openUntil !== null) {
      const data = { openUntil: leaseUntil };
      await tx.webhookEndpoint.updateMany({ where: { id: endpointId }, data });
    }
    const target = { id: endpointId, merchant, name, url, secrets };
    return { result: 'claimed', target, deliveries };
  });
}

/**
 * An order's events go out in sequence. A delivery waits while an earlier event of its order is not
 * fanned out, waits for the same endpoint, or is being sent to it. Delivered and parked deliveries
 * block nothing.
 */
async function lease(
  tx: Tx,
  now: Date,
  endpointId: bigint,
  limit: number,
  leaseUntil: Date,
): Promise<ClaimedDelivery[]> {
  const rows = await tx.$queryRaw<ClaimedDelivery[]>`
    UPDATE deliveries d SET lease_until = ${leaseUntil}
    FROM (
      SELECT c.id FROM deliveries c
      WHERE c.state = 'pending' AND c.endpoint_id = ${endpointId} AND c.next_attempt_at <= ${now}
        AND NOT ${isLeased(now, 'c')}
        AND NOT EXISTS (SELECT FROM deliveries b
          WHERE b.order_id = c.order_id AND b.endpoint_id = c.endpoint_id
            AND b.order_event_id < c.order_event_id
            AND (b.state = 'pending' OR ${isLeased(now, 'b')}))
        AND NOT EXISTS (SELECT FROM order_events o
          WHERE o.order_id = c.order_id AND o.id < c.order_event_id AND o.fanned_out_at IS NULL)
      ORDER BY c.next_attempt_at, c.order_event_id LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ) due JOIN deliveries k USING (id) JOIN order_events e ON e.id = k.order_event_id
    WHERE d.id = due.id
    RETURNING d.id, d.lease_until AS "leaseUntil", d.attempts, e.id AS "orderEventId", e.type,
      e.payload, e.created_at AS "createdAt"`;
  return rows.sort((a, b) => (a.orderEventId < b.orderEventId ? -1 : 1));
}

interface TargetRow {
  readonly merchant: string;
  readonly name: string;
  readonly url: string;
  readonly secret: Uint8Array | null;
  readonly previousSecret: Uint8Array | null;
  readonly previousSecretExpiresAt: Date | null;
  readonly failures: number;
  readonly openUntil: Date | null;
}

async function lockTarget(tx: Tx, id: bigint, now: Date): Promise<TargetRow | null> {
  const [row] = await tx.$queryRaw<TargetRow[]>`
    SELECT merchant, name, url, secret, previous_secret AS "previousSecret",
      previous_secret_expires_at AS "previousSecretExpiresAt", failures, open_until AS "openUntil"
    FROM webhook_endpoints WHERE id = ${id} AND deleted_at IS NULL AND disabled_at IS NULL
      AND NOT ${isOpen(now)} FOR NO KEY UPDATE`;
  return row ?? null;
}

function keyOf({ secret }: TargetRow): string | null {
  return secret && sealedUnder(secret);
}

/** Returns null rather than no signature, or a signature by the previous secret alone. */
function secretsOf(row: TargetRow, keys: EncryptionKeys | null, now: Date): Buffer[] | null {
  const { secret, previousSecret, previousSecretExpiresAt: expires } = row;
  const present = keys && secret && openSecret(keys, row, secret);
  if (!keys || !present) return null;
  if (!previousSecret || !expires || expires <= now) return [present];
  const former = openSecret(keys, row, previousSecret);
  return former ? [present, former] : [present];
}
