import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import type { DeclaredEndpoint } from './declared.js';
import type { EncryptionKeys } from './encryption-keys.js';
import { lockEndpointsForChange } from './lock.js';
import { lockEndpoint, setDisabled } from './rows.js';
import { sealSecret } from './secret.js';

export interface DeclareDeps extends DatabaseDeps {
  readonly encryptionKeys: EncryptionKeys | null;
}

export interface DeclareResult {
  readonly applied: number;
  /** How many of them are no longer in the file and were enabled before. */
  readonly disabled: number;
  /** Those that could not be applied; the log has the reasons. */
  readonly refused: number;
}

/** A previous secret signs as long as the file lists it. */
const FOREVER = new Date(Date.UTC(9999, 0));

/**
 * Brings the endpoints of source `file` in line with the channel file, at a start and after each
 * reload. An endpoint that an operator disabled stays disabled. An endpoint that the file no longer
 * lists is disabled.
 * @throws AppError `database_unavailable`; endpoints applied before stay, and repeating is harmless
 */
export async function applyDeclaredEndpoints(
  deps: DeclareDeps,
  declared: readonly DeclaredEndpoint[],
): Promise<DeclareResult> {
  let applied = 0;
  for (const endpoint of declared) {
    const { merchant, name } = endpoint;
    if (endpoint.secret !== null && deps.encryptionKeys === null) {
      deps.log.error(
        { merchant, endpoint: name, unset: 'PAYONCE_ENCRYPTION_KEY' },
        'endpoint.not_used',
      );
    } else if (await inTransaction(deps, (tx) => upsert(tx, deps, endpoint))) {
      applied += 1;
    } else {
      deps.log.error({ merchant, endpoint: name, reason: 'name_taken' }, 'endpoint.not_used');
    }
  }
  const disabled = await disableOthers(deps, declared);
  return { applied, disabled, refused: declared.length - applied };
}

/** @returns false when an endpoint made through the API has that name */
async function upsert(tx: Tx, deps: DeclareDeps, endpoint: DeclaredEndpoint): Promise<boolean> {
  const now = deps.clock();
  const { merchant, name, url, eventTypes, secret, previous } = endpoint;
  const seal = (bytes: Buffer | undefined | null) =>
    bytes && deps.encryptionKeys ? sealSecret(deps.encryptionKeys, endpoint, bytes) : null;
  const former = seal(previous?.secret);
  const expiresAt = former && (previous?.expiresAt ?? FOREVER);
  await lockEndpointsForChange(tx);
  const rows = await tx.$executeRaw`
    INSERT INTO webhook_endpoints AS w (merchant, name, url, event_types, source, secret,
      previous_secret, previous_secret_expires_at, created_at, updated_at)
    VALUES (${merchant}, ${name}, ${url}, ${[...eventTypes]}::text[], 'file', ${seal(secret)}::bytea,
      ${former}::bytea, ${expiresAt}::timestamptz, ${now}, ${now})
    ON CONFLICT (merchant, name) DO UPDATE SET url = excluded.url,
      event_types = excluded.event_types, source = 'file', secret = excluded.secret,
      previous_secret = excluded.previous_secret,
      previous_secret_expires_at = excluded.previous_secret_expires_at,
      disabled_at = CASE WHEN w.disabled_reason = 'not_in_file' OR w.deleted_at IS NOT NULL
        THEN NULL ELSE w.disabled_at END,
      disabled_reason = CASE WHEN w.disabled_reason = 'not_in_file' OR w.deleted_at IS NOT NULL
        THEN NULL ELSE w.disabled_reason END,
      deleted_at = NULL, updated_at = excluded.updated_at
    WHERE w.source = 'file' OR w.deleted_at IS NOT NULL`;
  return rows === 1;
}

async function disableOthers(
  deps: DeclareDeps,
  declared: readonly DeclaredEndpoint[],
): Promise<number> {
  const others = await deps.prisma.$queryRaw<{ id: bigint }[]>`
    SELECT id FROM webhook_endpoints w
    WHERE source = 'file' AND deleted_at IS NULL AND disabled_at IS NULL
      AND NOT EXISTS (SELECT FROM unnest(
        ${declared.map((one) => one.merchant)}::text[], ${declared.map((one) => one.name)}::text[]
      ) AS d (merchant, name) WHERE d.merchant = w.merchant AND d.name = w.name)`;
  for (const { id } of others) {
    await inTransaction(deps, async (tx) => {
      await lockEndpointsForChange(tx);
      const endpoint = await lockEndpoint(tx, id);
      if (endpoint?.disabledAt === null) await setDisabled(tx, deps.clock(), id, 'not_in_file');
    });
  }
  return others.length;
}
