import { z } from 'zod';
import { type Operator, writeAudit } from '../database/audit.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';
import { type Merchants, merchantsOf } from './merchants.js';

/** The roles of bearer keys. Each role includes the rights of the ones before it. */
export const ROLES = ['read', 'operate', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Whether a key with this role has the rights of the needed role. */
export function allows(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** A name is never reused, even after a revocation, so that audit rows stay unambiguous. */
export const KEY_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** The interval between notes of a key's use, which saves a write per request. */
const USE_NOTED_EVERY_MS = 60_000;

export interface KnownKey {
  readonly id: bigint;
  readonly name: string;
  readonly role: Role;
  readonly merchants: Merchants;
  readonly lastUsedAt: Date | null;
}

/**
 * The prefix of the stored hash of a key that is limited to merchants. A console of the previous
 * release does not know the column. It finds no such key and returns 401, instead of showing it
 * every merchant.
 */
const LIMITED = 'merchants:';

/**
 * Finds the live key with this SHA-256 (hex). Null if it is revoked or has expired, or if its
 * merchants are unreadable. Each request asks again, so that a revocation takes effect at once.
 * @throws the driver's error
 */
export async function findLiveKey(
  { prisma, clock }: DatabaseDeps,
  keyHash: string,
): Promise<KnownKey | null> {
  const key = await prisma.apiKey.findFirst({
    where: {
      keyHash: { in: [keyHash, LIMITED + keyHash] },
      revokedAt: null,
      OR: [{ expiresAt: null }, { expiresAt: { gt: clock() } }],
    },
    select: { id: true, name: true, role: true, merchants: true, lastUsedAt: true },
  });
  const merchants = key && storedMerchants(key.merchants);
  return merchants && { ...key, role: key.role as Role, merchants };
}

/** @param stored `api_keys.merchants`: null is all @returns null for an invalid value */
export function storedMerchants(stored: unknown): Merchants | null {
  if (stored === null) return 'all';
  const texts = z.array(z.string()).safeParse(stored);
  return texts.success ? merchantsOf(texts.data) : null;
}

/** Notes that the key was used, once a minute at most. @throws AppError `database_unavailable` */
export async function noteUse(deps: DatabaseDeps, { id, lastUsedAt }: KnownKey): Promise<void> {
  const now = deps.clock();
  const before = new Date(now.getTime() - USE_NOTED_EVERY_MS);
  // A wrong clock wrote a time that lies ahead. It must not keep later uses from being noted.
  if (lastUsedAt !== null && lastUsedAt > before && lastUsedAt <= now) return;
  const isStale = [
    { lastUsedAt: null },
    { lastUsedAt: { lte: before } },
    { lastUsedAt: { gt: now } },
  ];
  await inTransaction(deps, (tx) =>
    tx.apiKey.updateMany({ where: { id, OR: isStale }, data: { lastUsedAt: now } }),
  );
}

export interface NewKey {
  readonly name: string;
  readonly role: Role;
  readonly merchants: Merchants;
  /** SHA-256 of the key, in hex. */
  readonly keyHash: string;
  /** The first characters of the key. */
  readonly hint: string;
  readonly expiresAt: Date | null;
}

export type CreateKeyOutcome =
  | { readonly result: 'created'; readonly id: bigint }
  | { readonly result: 'name_taken' };

/** @throws AppError `database_unavailable` */
export async function createApiKey(
  deps: DatabaseDeps,
  operator: Operator,
  { name, role, merchants, keyHash, hint, expiresAt }: NewKey,
): Promise<CreateKeyOutcome> {
  const limit = merchants === 'all' ? null : merchants;
  return inTransaction(deps, async (tx): Promise<CreateKeyOutcome> => {
    const now = deps.clock();
    const [row] = await tx.$queryRaw<{ id: bigint }[]>`
      INSERT INTO api_keys (name, role, merchants, key_hash, hint, created_by, created_at, expires_at)
      VALUES (${name}, ${role}, ${limit && JSON.stringify(limit)}::jsonb,
        ${limit ? LIMITED + keyHash : keyHash}, ${hint}, ${operator.actor}, ${now}, ${expiresAt})
      ON CONFLICT (name) DO NOTHING RETURNING id`;
    if (row === undefined) return { result: 'name_taken' };
    const detail = { name, role, merchants: limit, expiresAt: expiresAt?.toISOString() ?? null };
    await writeAudit(tx, now, operator, { action: 'api_key.create', apiKeyId: row.id, detail });
    return { result: 'created', id: row.id };
  });
}

/**
 * Revokes a key. Repeating changes nothing.
 * @throws AppError `database_unavailable`
 */
export async function revokeApiKey(
  deps: DatabaseDeps,
  operator: Operator,
  id: bigint,
): Promise<'revoked' | 'unknown_key'> {
  return inTransaction(deps, async (tx) => {
    const now = deps.clock();
    const [key] = await tx.$queryRaw<{ name: string; role: string; revokedAt: Date | null }[]>`
      SELECT name, role, revoked_at AS "revokedAt" FROM api_keys WHERE id = ${id} FOR UPDATE`;
    if (key === undefined) return 'unknown_key';
    if (key.revokedAt !== null) return 'revoked';
    await tx.apiKey.update({ where: { id }, data: { revokedAt: now } });
    const detail = { name: key.name, role: key.role };
    await writeAudit(tx, now, operator, { action: 'api_key.revoke', apiKeyId: id, detail });
    return 'revoked';
  });
}
