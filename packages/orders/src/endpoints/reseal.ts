import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import { type EncryptionKeys, sealedUnder } from './encryption-keys.js';
import { openSecret, type SecretOwner, sealSecret } from './secret.js';

/** An endpoint with the IDs of the keys that its secrets are sealed under. */
export interface SealedEndpoint extends SecretOwner {
  readonly id: bigint;
  /** Of its secret and its previous one; null: of a key without an ID. */
  readonly keyIds: readonly (string | null)[];
  /** Whether the present keys open all of them. */
  readonly opens: boolean;
}

interface Row extends SecretOwner {
  readonly id: bigint;
  readonly secret: Uint8Array | null;
  readonly previousSecret: Uint8Array | null;
}

/** Deleted endpoints have no secrets; handlers never had any. */
const WITH_SECRET = { secret: { not: null }, deletedAt: null } as const;
const COLUMNS = {
  id: true,
  merchant: true,
  name: true,
  secret: true,
  previousSecret: true,
} as const;

/** Every endpoint with a secret, by ID. */
export async function findSealed(
  { prisma }: Pick<DatabaseDeps, 'prisma'>,
  keys: EncryptionKeys,
): Promise<SealedEndpoint[]> {
  const rows = await prisma.webhookEndpoint.findMany({
    where: WITH_SECRET,
    select: COLUMNS,
    orderBy: { id: 'asc' },
  });
  return rows.map((row) => {
    const { id, merchant, name } = row;
    const sealed = secretsOf(row);
    const opens = sealed.every((one) => openSecret(keys, row, one) !== null);
    return { id, merchant, name, keyIds: sealed.map(sealedUnder), opens };
  });
}

/**
 * Seals the secrets of one endpoint under the first key. The secrets themselves stay.
 * @returns false when a key that sealed one of them is missing: nothing was changed
 * @throws AppError `database_unavailable`
 */
export function sealAgain(deps: DatabaseDeps, keys: EncryptionKeys, id: bigint): Promise<boolean> {
  return inTransaction(deps, async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM webhook_endpoints WHERE id = ${id} FOR NO KEY UPDATE`;
    const row = await tx.webhookEndpoint.findFirst({
      where: { ...WITH_SECRET, id },
      select: COLUMNS,
    });
    // Deleted meanwhile.
    if (row === null) return true;
    return seal(tx, keys, row);
  });
}

async function seal(tx: Tx, keys: EncryptionKeys, row: Row): Promise<boolean> {
  const again = (stored: Uint8Array | null) => {
    const secret = stored && openSecret(keys, row, stored);
    return secret && new Uint8Array(sealSecret(keys, row, secret));
  };
  const secret = again(row.secret);
  const previousSecret = again(row.previousSecret);
  if (!secret || (row.previousSecret !== null && !previousSecret)) return false;
  await tx.webhookEndpoint.update({ where: { id: row.id }, data: { secret, previousSecret } });
  return true;
}

function secretsOf({ secret, previousSecret }: Row): Uint8Array[] {
  return [secret, previousSecret].flatMap((one) => one ?? []);
}
