import { sqlState } from '../database/failure.js';
import { isUnavailable } from '../database/transaction.js';
import { messageOf } from '../errors.js';
import { sha256Hex } from '../providers/crypto.js';
import { type ApplyDeps, applyNotifications } from './apply.js';
import type { ApplyOutcome, VerifiedNotification } from './notification.js';

/**
 * Applies a batch whatever is in it. One that cannot be applied is singled out by halving, and held
 * alone as `internal_error` with its raw bytes; the others are applied.
 * @returns per notification its outcome, or why not even its bytes could be stored
 * @throws AppError `database_unavailable`: try the whole batch again. What was applied before counts as
 * a copy then.
 */
export async function applyAll(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
): Promise<PromiseSettledResult<ApplyOutcome>[]> {
  try {
    const outcomes = await applyNotifications(deps, batch);
    return outcomes.map((value) => ({ status: 'fulfilled', value }));
  } catch (error) {
    if (isUnavailable(error)) throw error;
    const [only] = batch;
    if (only !== undefined && batch.length === 1) return [await holdPoisonous(deps, only, error)];
    const middle = Math.ceil(batch.length / 2);
    const first = await applyAll(deps, batch.slice(0, middle));
    return [...first, ...(await applyAll(deps, batch.slice(middle)))];
  }
}

async function holdPoisonous(
  deps: ApplyDeps,
  notification: VerifiedNotification,
  error: unknown,
): Promise<PromiseSettledResult<ApplyOutcome>> {
  const { channel } = notification;
  const notificationId = storableId(notification.notificationId);
  const state = sqlState(error);
  deps.log?.error(
    { err: messageOf(error), state, channel, notificationId },
    'a notification cannot be applied: held as internal_error',
  );
  try {
    const harmless = { ...notification, notificationId };
    const [value] = await applyNotifications(deps, [harmless], 'internal_error');
    if (value === undefined) throw new Error('no outcome');
    return { status: 'fulfilled', value };
  } catch (reason) {
    if (isUnavailable(reason)) throw reason;
    return { status: 'rejected', reason };
  }
}

/** The column takes up to 200 characters of text; what is no text is known by its hash. */
function storableId(id: string): string {
  const plain = id.length <= 200 && id !== '' && !id.includes('\0');
  return plain ? id : `sha256:${sha256Hex(id)}`;
}
