import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';

/** A request that its sender may send again under the same key. */
export interface IdempotentRequest {
  /** Another caller's key is another key. */
  readonly actor: string;
  readonly key: string;
  /** SHA-256 (hex) of what was asked. */
  readonly requestHash: string;
}

/** What was answered, to be answered again. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type ClaimOutcome =
  /** It is the caller's to carry out, and to end by `storeAnswer` or `giveUp`. */
  | { readonly result: 'claimed'; readonly claim: Claim }
  | { readonly result: 'answered'; readonly answer: StoredAnswer }
  /** Somebody is at it, or was when their process ended. */
  | { readonly result: 'in_hand' }
  /** The key was used for something else. */
  | { readonly result: 'other_request' };

export interface Claim extends IdempotentRequest {
  readonly claimedAt: Date;
}

/**
 * After this long nobody is at it any more: no request takes half of that. So long a key whose process was
 * killed stays in hand.
 */
export const IN_HAND_LIMIT_MS = 60_000;
/** The API promises a day; a sender who counts from its own last try gets a second one. */
const RETENTION_MS = 48 * 3_600_000;
/** For each new row up to so many old ones go: the table shrinks faster than it grows, in small steps. */
const PURGED_AT_ONCE = 10;

/** Takes a request in hand, once, however many send it. @throws AppError `database_unavailable` */
export async function claimRequest(
  deps: DatabaseDeps,
  request: IdempotentRequest,
): Promise<ClaimOutcome> {
  const { actor, key, requestHash } = request;
  const now = deps.clock();
  const expired = new Date(now.getTime() - RETENTION_MS);
  const abandoned = new Date(now.getTime() - IN_HAND_LIMIT_MS);
  // Further ahead than any clock that we trust: the process that claimed it had a wrong one.
  const impossible = new Date(now.getTime() + IN_HAND_LIMIT_MS);
  await inTransaction(
    deps,
    (tx) => tx.$executeRaw`
      DELETE FROM idempotent_requests WHERE (actor, key) IN (
        SELECT actor, key FROM idempotent_requests WHERE created_at < ${expired}
        ORDER BY created_at LIMIT ${PURGED_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
  );
  // Alone in its transaction: who claims waits for nobody while holding another row.
  return inTransaction(deps, async (tx): Promise<ClaimOutcome> => {
    const claimed = await tx.$executeRaw`
      INSERT INTO idempotent_requests AS r (actor, key, request_hash, created_at)
      VALUES (${actor}, ${key}, ${requestHash}, ${now})
      ON CONFLICT (actor, key) DO UPDATE SET request_hash = excluded.request_hash,
        status = NULL, response = NULL, created_at = excluded.created_at
      WHERE r.created_at < ${expired} OR (r.status IS NULL
        AND (r.created_at < ${abandoned} OR r.created_at > ${impossible})
        AND r.request_hash = excluded.request_hash)`;
    if (claimed === 1) return { result: 'claimed', claim: { ...request, claimedAt: now } };
    const [known] = await tx.$queryRaw<KnownRequest[]>`
      SELECT request_hash AS "requestHash", response FROM idempotent_requests
      WHERE actor = ${actor} AND key = ${key}`;
    // Given up between the two statements: the sender's next try finds it free.
    if (known === undefined) return { result: 'in_hand' };
    if (known.requestHash !== requestHash) return { result: 'other_request' };
    return known.response === null
      ? { result: 'in_hand' }
      : { result: 'answered', answer: known.response };
  });
}

interface KnownRequest {
  readonly requestHash: string;
  readonly response: StoredAnswer | null;
}

/**
 * Keeps the answer, unless the claim was lost to somebody else meanwhile.
 * @throws AppError `database_unavailable`
 */
export async function storeAnswer(
  deps: DatabaseDeps,
  { actor, key, claimedAt }: Claim,
  answer: StoredAnswer,
): Promise<void> {
  await inTransaction(
    deps,
    (tx) => tx.$executeRaw`
      UPDATE idempotent_requests
      SET status = ${answer.status}, response = ${JSON.stringify(answer)}::json
      WHERE actor = ${actor} AND key = ${key} AND created_at = ${claimedAt} AND status IS NULL`,
  );
}

/** It came to nothing: the same request may be tried at once. @throws AppError `database_unavailable` */
export async function giveUp(deps: DatabaseDeps, { actor, key, claimedAt }: Claim): Promise<void> {
  await inTransaction(
    deps,
    (tx) => tx.$executeRaw`
      DELETE FROM idempotent_requests
      WHERE actor = ${actor} AND key = ${key} AND created_at = ${claimedAt} AND status IS NULL`,
  );
}
