import { AppError, messageOf } from '@payonce/core/runtime/errors';
import { sha256Hex } from '@payonce/providers/crypto';
import { bisect } from '../../database/bisect.js';
import { sqlState } from '../../database/failure.js';
import { isTooSlow, isUnavailable } from '../../database/transaction.js';
import type { ApplyOutcome, VerifiedNotification } from '../records/notification.js';
import { type ApplyDeps, applyInTurn, applyNotifications, applySkippingLocked } from './apply.js';

/** A concurrent insert of the same row commits within that time: a batch takes 10 to 300 ms. */
const WAIT_MS = 300;
/** Less than `WAIT_MS`: another batch may be waiting for the rows that this one inserts. */
const TURN_WAIT_MS = 250;
/** The limit for the parts of a batch that has already waited in vain. */
const PART_WAIT_MS = 50;
/** After so many vain waits in a row (a half, its quarters, its eighths) a table is locked. */
const WAITS_IN_A_ROW = 14;
/** By then the unlocked notifications of a batch are applied. */
const PARTS_LIMIT_MS = 1_500;

/**
 * Applies any batch. Halving singles out a notification that cannot be applied, and holds it alone
 * as `internal_error` with its raw bytes. The others are applied. Notifications that other
 * transactions have locked stay untouched.
 * @returns per notification its outcome; or AppError `locked`: nothing of it was written; or the
 * reason why not even its bytes could be stored
 * @throws AppError `database_unavailable`: retry the whole batch. What was applied before then
 * counts as a copy.
 */
export async function applyAll(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
): Promise<PromiseSettledResult<ApplyOutcome>[]> {
  try {
    return await applyTogether(deps, batch, applySkippingLocked, WAIT_MS);
  } catch (error) {
    if (!isTooSlow(error)) throw error;
    return applyParts(deps, batch, error);
  }
}

/**
 * The same for notifications of orders that other transactions have locked: waits for the locks.
 * @throws AppError `database_unavailable`
 */
export async function applyAllInTurn(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
): Promise<PromiseSettledResult<ApplyOutcome>[]> {
  try {
    return await applyTogether(deps, batch, applyInTurn, TURN_WAIT_MS);
  } catch (error) {
    if (!isTooSlow(error)) throw error;
    return batch.map(() => locked(error));
  }
}

function applyTogether(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  apply: typeof applySkippingLocked,
  waitMs: number,
): Promise<PromiseSettledResult<ApplyOutcome>[]> {
  return bisect(
    batch,
    async (some) => (await apply(deps, some, waitMs)).map(fulfilledOrLocked),
    (only, error) => holdPoisonous(deps, only, error),
    isUnavailable,
  );
}

function fulfilledOrLocked(value: ApplyOutcome | null): PromiseSettledResult<ApplyOutcome> {
  return value === null ? locked() : { status: 'fulfilled', value };
}

function locked(cause?: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason: new AppError('locked', { cause }) };
}

/**
 * Handles a batch that waited in vain for a lock that cannot be skipped. Larger parts come first,
 * so that most unlocked notifications are applied early. A notification that waits alone is
 * `locked`; so are all that remain when the time is up. A locked endpoint must not keep a payment
 * from its order: the deliveries are created later.
 */
async function applyParts(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  cause: unknown,
): Promise<PromiseSettledResult<ApplyOutcome>[]> {
  const deadline = performance.now() + PARTS_LIMIT_MS;
  const results = new Map<number, PromiseSettledResult<ApplyOutcome>>();
  const withoutDeliveries = { ...deps, fansOut: () => false };
  const whole = batch.map((_, index) => index);
  const parts = batch.length === 1 ? [whole] : halves(whole);
  let waits = 0;
  for (let part = parts.shift(); part; part = parts.shift()) {
    if (waits >= WAITS_IN_A_ROW || performance.now() > deadline) break;
    try {
      const some = part.flatMap((index) => batch[index] ?? []);
      const applied = await applyTogether(
        withoutDeliveries,
        some,
        applySkippingLocked,
        PART_WAIT_MS,
      );
      for (const [position, index] of part.entries()) {
        results.set(index, applied[position] ?? locked());
      }
      waits = 0;
    } catch (error) {
      if (!isTooSlow(error)) throw error;
      waits += 1;
      parts.push(...halves(part));
    }
  }
  return batch.map((_, index) => results.get(index) ?? locked(cause));
}

/** Empty for a part of one. */
function halves(part: readonly number[]): (readonly number[])[] {
  const middle = Math.ceil(part.length / 2);
  return part.length < 2 ? [] : [part.slice(0, middle), part.slice(middle)];
}

async function holdPoisonous(
  deps: ApplyDeps,
  notification: VerifiedNotification,
  error: unknown,
): Promise<PromiseSettledResult<ApplyOutcome>> {
  const { channel } = notification;
  const notificationId = storableId(notification.notificationId);
  const state = sqlState(error);
  deps.log.error(
    { err: messageOf(error), state, channel, notificationId },
    'notification.apply_failed',
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

/** The column takes up to 200 characters of text. A hash stands for anything else. */
function storableId(id: string): string {
  const plain = id.length <= 200 && id !== '' && !id.includes('\0');
  return plain ? id : `sha256:${sha256Hex(id)}`;
}
