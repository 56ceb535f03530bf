/** The results of tries, and what follows for deliveries and endpoints. */
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import type { Claimed, Target } from './claim.js';
import { type DisabledReason, type Endpoint, lockEndpoints, setDisabled } from './endpoint-rows.js';
import { type Health, healthAfter } from './health.js';
import { nextAttemptAt, openMaxMs, RETRY_AFTER_MS, type RetrySchedule } from './retry.js';

/** The answer to a try. */
export interface Answer {
  readonly delivered: boolean;
  /** Null when there was no answer, and for handlers. */
  readonly status: number | null;
  /** Why there was no answer, or why it does not count. */
  readonly error: string | null;
  /** The first KiB. */
  readonly response: Buffer | null;
  readonly retryAfterMs: number | null;
  /** Nothing was sent: the result says nothing about the endpoint. */
  readonly unsent?: true;
}

/** One try. */
export interface Attempt {
  readonly delivery: Claimed;
  readonly target: Target;
  readonly at: Date;
  readonly durationMs: number;
  readonly answer: Answer;
}

/** `late`: another worker has claimed it meanwhile, so that nothing was recorded. */
export type Recorded = 'delivered' | 'retried' | 'exhausted' | 'late';

export interface RecordDeps extends DatabaseDeps, RetrySchedule {
  /** The duration of uninterrupted failures that disables an endpoint. */
  readonly disableAfterMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/**
 * Records tries and what follows, in one transaction: the tries, the deliveries' states, the
 * endpoints' health. Only the holder of the lease may record.
 * @returns one result per attempt, in their order
 * @throws AppError `database_unavailable`
 */
export async function recordAttempts(
  deps: RecordDeps,
  attempts: readonly Attempt[],
): Promise<Recorded[]> {
  const { disableAfterMs, scheduleMs = RETRY_AFTER_MS } = deps;
  const limits = { disableAfterMs, openMaxMs: openMaxMs(scheduleMs) };
  const disabled: { endpoint: Endpoint; reason: DisabledReason }[] = [];
  const results = await inTransaction(deps, async (tx) => {
    disabled.length = 0;
    const now = deps.clock();
    const endpoints = await lockEndpoints(tx, [
      ...new Set(attempts.map(({ target }) => target.id)),
    ]);
    const decided = attempts.map((attempt) => decide(attempt, now, scheduleMs, deps.random()));
    const recorded = await storeStates(tx, now, decided);
    const mine = decided.filter(({ attempt }) => recorded.has(attempt.delivery.id));
    await storeAttempts(tx, mine);
    for (const endpoint of endpoints) {
      const told = mine.filter(
        ({ attempt: { target, answer } }) => target.id === endpoint.id && !answer.unsent,
      );
      const health = told.reduce<Health>(
        (before, { attempt }) => healthAfter(before, attempt.answer, now, limits),
        endpoint,
      );
      if (health !== endpoint) await storeHealth(tx, endpoint.id, health);
      const { disabledReason: reason } = health;
      if (reason !== null && endpoint.disabledReason === null) {
        disabled.push({ endpoint: await setDisabled(tx, now, endpoint.id, reason), reason });
      }
    }
    return decided.map(({ attempt, result }) =>
      recorded.has(attempt.delivery.id) ? result : 'late',
    );
  });
  for (const { endpoint, reason } of disabled) {
    const { merchant, name, failingSince } = endpoint;
    deps.log.error({ merchant, endpoint: name, reason, failingSince }, 'endpoint.disabled');
  }
  return results;
}

interface Decided {
  readonly attempt: Attempt;
  readonly result: Exclude<Recorded, 'late'>;
  readonly nextAttemptAt: Date | null;
}

function decide(
  attempt: Attempt,
  now: Date,
  scheduleMs: readonly number[],
  random: number,
): Decided {
  const { answer, delivery } = attempt;
  if (answer.delivered) return { attempt, result: 'delivered', nextAttemptAt: null };
  const next = nextAttemptAt(scheduleMs, delivery.attempts + 1, now, answer.retryAfterMs, random);
  return { attempt, result: next === null ? 'exhausted' : 'retried', nextAttemptAt: next };
}

/**
 * A delivery that was parked while it was being sent stays parked, unless it was delivered.
 * @returns the deliveries whose lease was still the one they were claimed with
 */
async function storeStates(tx: Tx, now: Date, decided: readonly Decided[]): Promise<Set<bigint>> {
  const rows = await tx.$queryRaw<{ id: bigint }[]>`
    UPDATE deliveries d SET attempts = d.attempts + 1, lease_until = NULL,
      state = CASE WHEN r.result = 'delivered' THEN 'delivered'
        WHEN d.state = 'pending' AND r.result = 'exhausted' THEN 'parked' ELSE d.state END,
      parked_reason = CASE WHEN r.result = 'delivered' THEN NULL
        WHEN d.state = 'pending' AND r.result = 'exhausted' THEN 'exhausted'
        ELSE d.parked_reason END,
      delivered_at = CASE WHEN r.result = 'delivered' THEN ${now} ELSE d.delivered_at END,
      next_attempt_at = COALESCE(r.next_attempt_at, d.next_attempt_at)
    FROM unnest(
      ${decided.map(({ attempt }) => attempt.delivery.id)}::bigint[],
      ${decided.map(({ attempt }) => attempt.delivery.leaseUntil)}::timestamptz[],
      ${decided.map(({ result }) => result)}::text[],
      ${decided.map((one) => one.nextAttemptAt)}::timestamptz[]
    ) AS r (id, lease_until, result, next_attempt_at)
    WHERE d.id = r.id AND d.lease_until = r.lease_until RETURNING d.id`;
  return new Set(rows.map((row) => row.id));
}

async function storeAttempts(tx: Tx, decided: readonly Decided[]): Promise<void> {
  if (decided.length === 0) return;
  const all = decided.map(({ attempt }) => attempt);
  await tx.$executeRaw`
    INSERT INTO delivery_attempts (delivery_id, at, duration_ms, status, error, response)
    SELECT * FROM unnest(
      ${all.map(({ delivery }) => delivery.id)}::bigint[], ${all.map(({ at }) => at)}::timestamptz[],
      ${all.map(({ durationMs }) => durationMs)}::int[],
      ${all.map(({ answer }) => answer.status)}::int[],
      ${all.map(({ answer }) => answer.error)}::text[],
      ${all.map(({ answer }) => answer.response)}::bytea[])`;
}

async function storeHealth(tx: Tx, id: bigint, health: Health): Promise<void> {
  await tx.$executeRaw`
    UPDATE webhook_endpoints SET failures = ${health.failures},
      failing_since = ${health.failingSince}, open_until = ${health.openUntil},
      last_success_at = ${health.lastSuccessAt} WHERE id = ${id}`;
}
