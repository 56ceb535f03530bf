import { sha256Hex } from '@payonce/providers/crypto';
import type { Tx } from '../database/transaction.js';
import type { OrderKey } from './order.js';

/**
 * Locks an order number, whether or not the order exists: a missing row cannot be locked. A
 * transaction that finds no order takes the lock in shared mode and looks again. A registration
 * takes it exclusively. So no event is held as `unknown_order` while its order is being registered.
 * The lock lasts until the transaction ends.
 */
export async function lockNumbersForRegistration(tx: Tx, keys: readonly OrderKey[]): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(id) FROM unnest(${lockIds(keys)}::bigint[]) AS k (id)`;
}

export async function lockMissingNumbers(tx: Tx, keys: readonly OrderKey[]): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock_shared(id) FROM unnest(${lockIds(keys)}::bigint[]) AS k (id)`;
}

/** The same without waiting. @returns per key, in order, whether its number is locked now */
export async function tryLockMissingNumbers(tx: Tx, keys: readonly OrderKey[]): Promise<boolean[]> {
  const rows = await tx.$queryRaw<{ position: bigint; got: boolean }[]>`
    SELECT position, pg_try_advisory_xact_lock_shared(id) AS got
    FROM unnest(${keys.map(lockId)}::bigint[]) WITH ORDINALITY AS k (id, position)`;
  const got = new Set(rows.flatMap((row) => (row.got ? [Number(row.position)] : [])));
  return keys.map((_, index) => got.has(index + 1));
}

/** Always in ascending order; otherwise two batches could wait for each other. */
function lockIds(keys: readonly OrderKey[]): bigint[] {
  return [...new Set(keys.map(lockId))].sort((a, b) => (a < b ? -1 : 1));
}

/** 64 bits: two numbers that share a lock by chance only wait for each other. */
function lockId({ merchant, number }: OrderKey): bigint {
  const digest = sha256Hex('payonce order number', '\0', merchant, '\0', number);
  return BigInt.asIntN(64, BigInt(`0x${digest.slice(0, 16)}`));
}
