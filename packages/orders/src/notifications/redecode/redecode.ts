/** Decodes held events of another release again, from their bytes, and resolves them. */

import { messageOf } from '@payonce/core/runtime/errors';
import type { Operator } from '../../database/audit.js';
import { bisect } from '../../database/bisect.js';
import type { DatabaseDeps } from '../../database/deps.js';
import { inTransaction, isUnavailable } from '../../database/transaction.js';
import { sharedIdKey } from '../records/notification-identity.js';
import {
  type Candidate,
  type DecodedMessage,
  findFirstContents,
  findHeldMessages,
  type MessageRow,
} from './held-messages.js';
import { type Redecoded, redecodeTogether } from './redecode-together.js';

/**
 * Decodes a stored message by the present release; null when its bytes no longer prove their
 * origin.
 */
export type DecodeStored = (message: MessageRow) => DecodedMessage | null;

/** A worker's schedule does it, without a request. */
export const UPGRADE: Operator = {
  actor: 'system',
  reason: 'decoded again after an update',
};

export interface RedecodeStep {
  /** The last notification of this step. */
  readonly last: bigint;
  readonly results: readonly Redecoded[];
}

/**
 * One bounded step of the upgrade: held notifications of the previous release, in the order of
 * their rows. Each is decoded once; several workers at once are fine.
 * @param after the last row of the step before; 0 at first
 * @throws AppError `database_unavailable`
 */
export async function redecodeStep(
  deps: DatabaseDeps,
  limit: number,
  after: bigint,
  decode: DecodeStored,
): Promise<RedecodeStep> {
  const rows = await findHeldMessages(deps.prisma, { after, limit, onlyFormer: true });
  const candidates = await candidatesOf(deps, rows, decode);
  return { last: rows.at(-1)?.id ?? after, results: await redecode(deps, candidates) };
}

/** Reads and decodes, without a lock. */
export async function candidatesOf(
  deps: DatabaseDeps,
  rows: readonly MessageRow[],
  decode: DecodeStored,
): Promise<Candidate[]> {
  const firsts = await findFirstContents(
    deps.prisma,
    rows.filter(({ variant }) => variant !== ''),
  );
  const decodedFirsts = new Map(
    [...firsts].map(([key, row]) => [key, { row, decoded: decode(row) }]),
  );
  return rows.map((row) => ({
    row,
    decoded: decode(row),
    first: row.variant === '' ? null : (decodedFirsts.get(sharedIdKey(row)) ?? null),
  }));
}

/** Uses one transaction. Halving singles out a notification that fails, and leaves it as it is. */
async function redecode(
  deps: DatabaseDeps,
  candidates: readonly Candidate[],
): Promise<readonly Redecoded[]> {
  if (candidates.length === 0) return [];
  return bisect(
    candidates,
    (some) => inTransaction(deps, (tx) => redecodeTogether(tx, deps.clock(), some, UPGRADE)),
    async ({ row }, error): Promise<Redecoded> => {
      deps.log.error({ err: messageOf(error), notification: row.id }, 'held.redecode_failed');
      return { row, result: 'failed', events: [] };
    },
    isUnavailable,
  );
}
