/** SQL of endpoints. Locks: an endpoint before its deliveries, several endpoints by ID. */
import { Prisma } from '@payonce/prisma/client';
import type { Tx } from '../database/transaction.js';
import type { EventType } from './event-types.js';

export type DisabledReason = 'operator' | 'failing' | 'gone' | 'not_in_file';

/** An endpoint without its secrets, safe to show. */
export interface Endpoint {
  readonly id: bigint;
  readonly merchant: string;
  readonly name: string;
  readonly url: string;
  /** Empty: every type. */
  readonly eventTypes: readonly EventType[];
  readonly source: 'file' | 'api';
  /** The end of the previous secret's grace period; null when there is none. */
  readonly previousSecretExpiresAt: Date | null;
  /** Consecutive failures. */
  readonly failures: number;
  readonly failingSince: Date | null;
  readonly openUntil: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly disabledAt: Date | null;
  readonly disabledReason: DisabledReason | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const COLUMNS = Prisma.sql`id, merchant, name, url, event_types AS "eventTypes", source,
  previous_secret_expires_at AS "previousSecretExpiresAt", failures,
  failing_since AS "failingSince", open_until AS "openUntil", last_success_at AS "lastSuccessAt",
  disabled_at AS "disabledAt", disabled_reason AS "disabledReason", created_at AS "createdAt",
  updated_at AS "updatedAt"`;

export interface NewEndpoint {
  readonly merchant: string;
  readonly name: string;
  readonly url: string;
  readonly eventTypes: readonly EventType[];
  readonly source: 'file' | 'api';
  /** Sealed; null for handlers. */
  readonly secret: Buffer | null;
}

/** Replaces a deleted endpoint of that name. @returns null when the name is taken */
export async function insertEndpoint(
  tx: Tx,
  now: Date,
  endpoint: NewEndpoint,
): Promise<Endpoint | null> {
  const { merchant, name, url, eventTypes, source, secret } = endpoint;
  const [row] = await tx.$queryRaw<Endpoint[]>`
    INSERT INTO webhook_endpoints AS w (merchant, name, url, event_types, source, secret,
      created_at, updated_at)
    VALUES (${merchant}, ${name}, ${url}, ${[...eventTypes]}::text[], ${source}, ${secret}::bytea,
      ${now}, ${now})
    ON CONFLICT (merchant, name) DO UPDATE SET url = excluded.url,
      event_types = excluded.event_types, source = excluded.source, secret = excluded.secret,
      previous_secret = NULL, previous_secret_expires_at = NULL, failures = 0,
      failing_since = NULL, open_until = NULL, last_success_at = NULL, disabled_at = NULL,
      disabled_reason = NULL, deleted_at = NULL, created_at = excluded.created_at,
      updated_at = excluded.updated_at
    WHERE w.deleted_at IS NOT NULL
    RETURNING ${COLUMNS}`;
  return row ?? null;
}

/** Locks until the transaction ends. @returns null for an unknown or a deleted endpoint */
export async function lockEndpoint(tx: Tx, id: bigint): Promise<Endpoint | null> {
  const [row] = await tx.$queryRaw<Endpoint[]>`
    SELECT ${COLUMNS} FROM webhook_endpoints WHERE id = ${id} AND deleted_at IS NULL
    FOR NO KEY UPDATE`;
  return row ?? null;
}

/** Locks in the order of IDs. */
export async function lockEndpoints(tx: Tx, ids: readonly bigint[]): Promise<Endpoint[]> {
  return tx.$queryRaw<Endpoint[]>`
    SELECT ${COLUMNS} FROM webhook_endpoints WHERE id = ANY(${[...ids]}::bigint[])
      AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE`;
}

/** Writes an operator's changes; the other columns stay. */
export async function updateTarget(
  tx: Tx,
  now: Date,
  id: bigint,
  { url, eventTypes }: Pick<Endpoint, 'url' | 'eventTypes'>,
): Promise<Endpoint> {
  return update(tx, now, id, { url, eventTypes: [...eventTypes] });
}

/** The sealed secret. Empty for handlers. */
export async function sealedSecretOf(tx: Tx, id: bigint): Promise<Uint8Array> {
  const row = await tx.webhookEndpoint.findUnique({ where: { id }, select: { secret: true } });
  return row?.secret ?? new Uint8Array();
}

/** The present secret becomes the previous one, and signs beside the new one until `graceEnds`. */
export async function replaceSecret(
  tx: Tx,
  now: Date,
  id: bigint,
  { secret, graceEnds }: { readonly secret: Buffer; readonly graceEnds: Date | null },
): Promise<Endpoint> {
  return one(
    await tx.$queryRaw<Endpoint[]>`
      UPDATE webhook_endpoints SET secret = ${secret}::bytea,
        previous_secret = CASE WHEN ${graceEnds}::timestamptz IS NULL THEN NULL ELSE secret END,
        previous_secret_expires_at = ${graceEnds}, updated_at = ${now}
      WHERE id = ${id} RETURNING ${COLUMNS}`,
  );
}

/** Sets the end of the previous secret's grace period, if there is one; null removes it. */
export async function keepFormerSecret(
  tx: Tx,
  now: Date,
  id: bigint,
  until: Date | null,
): Promise<Endpoint> {
  return one(
    await tx.$queryRaw<Endpoint[]>`
      UPDATE webhook_endpoints SET updated_at = ${now},
        previous_secret = CASE WHEN ${until}::timestamptz IS NOT NULL THEN previous_secret END,
        previous_secret_expires_at = CASE WHEN previous_secret IS NOT NULL THEN ${until}::timestamptz END
      WHERE id = ${id} RETURNING ${COLUMNS}`,
  );
}

/** Enables an endpoint and clears its failures. */
export function setEnabled(tx: Tx, now: Date, id: bigint): Promise<Endpoint> {
  const cleared = { failures: 0, failingSince: null, openUntil: null };
  return update(tx, now, id, { disabledAt: null, disabledReason: null, ...cleared });
}

/** Parks its waiting deliveries: they would never go out, and must be visible. */
export async function setDisabled(
  tx: Tx,
  now: Date,
  id: bigint,
  disabledReason: DisabledReason,
): Promise<Endpoint> {
  const endpoint = await update(tx, now, id, { disabledAt: now, disabledReason });
  await parkPending(tx, id, 'endpoint_disabled');
  return endpoint;
}

/** Keeps the row for its deliveries, and erases the secrets. */
export async function setDeleted(tx: Tx, now: Date, id: bigint): Promise<Endpoint> {
  const endpoint = one(
    await tx.$queryRaw<Endpoint[]>`
      UPDATE webhook_endpoints SET deleted_at = ${now}, updated_at = ${now},
        secret = CASE WHEN secret IS NULL THEN NULL ELSE ''::bytea END, previous_secret = NULL,
        previous_secret_expires_at = NULL
      WHERE id = ${id} RETURNING ${COLUMNS}`,
  );
  await parkPending(tx, id, 'endpoint_deleted');
  return endpoint;
}

/** A change that needs no value of the stored row. */
async function update(
  tx: Tx,
  now: Date,
  id: bigint,
  data: Prisma.WebhookEndpointUpdateInput,
): Promise<Endpoint> {
  const row = await tx.webhookEndpoint.update({
    where: { id },
    data: { ...data, updatedAt: now },
    omit: { secret: true, previousSecret: true, deletedAt: true },
  });
  return row as Endpoint;
}

/** Leaves leases: a delivery that is being sent may still be delivered. */
async function parkPending(
  tx: Tx,
  endpointId: bigint,
  parkedReason: 'endpoint_disabled' | 'endpoint_deleted',
): Promise<void> {
  const data = { state: 'parked', parkedReason };
  await tx.delivery.updateMany({ where: { endpointId, state: 'pending' }, data });
}

function one(rows: readonly Endpoint[]): Endpoint {
  const [row] = rows;
  if (row === undefined) throw new Error('an endpoint that was just locked is gone');
  return row;
}
