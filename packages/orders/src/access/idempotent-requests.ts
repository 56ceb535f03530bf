import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';

/** A request that its sender may repeat with the same key. */
export interface IdempotentRequest {
  /** Keys of different callers are independent. */
  readonly actor: string;
  readonly key: string;
  /** SHA-256 (hex) of the request. */
  readonly requestHash: string;
}

/** The stored response for repetitions of the request. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type IdempotencyOutcome =
  /** The caller carries the request out, and ends it by `storeResponse` or `releaseClaim`. */
  | { readonly result: 'claimed'; readonly claim: IdempotencyClaim }
  | { readonly result: 'completed'; readonly response: StoredResponse }
  /** Another process is carrying it out, or was killed while it did. */
  | { readonly result: 'in_hand' }
  /** The key was used for another request. */
  | { readonly result: 'other_request' };

export interface IdempotencyClaim extends IdempotentRequest {
  readonly claimedAt: Date;
}

/**
 * After this time a claim is abandoned: no request takes half of it. The key of a killed process
 * stays claimed for this long.
 */
export const IN_HAND_LIMIT_MS = 60_000;
/** The API promises a day. A sender that counts from its last try gets a second one. */
const RETENTION_MS = 48 * 3_600_000;
/**
 * Each new row removes up to so many old ones: the table shrinks faster than it grows, in small
 * steps.
 */
const PURGED_AT_ONCE = 10;

/** Claims a request once, however many copies arrive. @throws AppError `database_unavailable` */
export async function claimRequest(
  deps: DatabaseDeps,
  request: IdempotentRequest,
): Promise<IdempotencyOutcome> {
  const { actor, key, requestHash } = request;
  const now = deps.clock();
  const expired = new Date(now.getTime() - RETENTION_MS);
  const abandoned = new Date(now.getTime() - IN_HAND_LIMIT_MS);
  // Further ahead than any trusted clock: a process with a wrong clock claimed it.
  const impossible = new Date(now.getTime() + IN_HAND_LIMIT_MS);
  await inTransaction(
    deps,
    (tx) => tx.$executeRaw`
      DELETE FROM idempotent_requests WHERE (actor, key) IN (
        SELECT actor, key FROM idempotent_requests WHERE created_at < ${expired}
        ORDER BY created_at LIMIT ${PURGED_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
  );
  // Alone in its transaction: a claim must not wait while its transaction holds another row.
  return inTransaction(deps, async (tx): Promise<IdempotencyOutcome> => {
    const claimed = await tx.$executeRaw`
      INSERT INTO idempotent_requests AS r (actor, key, request_hash, created_at)
      VALUES (${actor}, ${key}, ${requestHash}, ${now})
      ON CONFLICT (actor, key) DO UPDATE SET request_hash = excluded.request_hash,
        status = NULL, response = NULL, created_at = excluded.created_at
      WHERE r.created_at < ${expired} OR (r.status IS NULL
        AND (r.created_at < ${abandoned} OR r.created_at > ${impossible})
        AND r.request_hash = excluded.request_hash)`;
    if (claimed === 1) return { result: 'claimed', claim: { ...request, claimedAt: now } };
    const known = await tx.idempotentRequest.findUnique({ where: { actor_key: { actor, key } } });
    // Released between the two statements: the sender's next try can claim it.
    if (known === null) return { result: 'in_hand' };
    if (known.requestHash !== requestHash) return { result: 'other_request' };
    return known.response === null
      ? { result: 'in_hand' }
      : { result: 'completed', response: known.response as unknown as StoredResponse };
  });
}

/**
 * Stores the response, unless another process took the claim meanwhile.
 * @throws AppError `database_unavailable`
 */
export async function storeResponse(
  deps: DatabaseDeps,
  claim: IdempotencyClaim,
  { status, headers, body }: StoredResponse,
): Promise<void> {
  const data = { status, response: { status, headers, body } };
  await inTransaction(deps, (tx) => tx.idempotentRequest.updateMany({ where: held(claim), data }));
}

/**
 * Releases the claim, so that the request may be tried again at once. @throws AppError
 * `database_unavailable`
 */
export async function releaseClaim(deps: DatabaseDeps, claim: IdempotencyClaim): Promise<void> {
  await inTransaction(deps, (tx) => tx.idempotentRequest.deleteMany({ where: held(claim) }));
}

/** The claim's row, unless it is completed or another process has taken it over. */
function held({ actor, key, claimedAt }: IdempotencyClaim) {
  return { actor, key, createdAt: claimedAt, status: null };
}
