/** The results of attempts, and what follows for deliveries and endpoints. */
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import {
  type DisabledReason,
  type Endpoint,
  lockEndpoints,
  setDisabled,
} from '../endpoints/rows.js';
import type { ClaimedDelivery, Target } from './claim.js';
import { type Health, healthAfter } from './health.js';
import { nextAttemptAt, openMaxMs, RETRY_AFTER_MS, type RetrySchedule } from './retry.js';
import type { AttemptResult } from './webhook-client.js';

/** One attempt. */
export interface Attempt {
  readonly delivery: ClaimedDelivery;
  readonly target: Target;
  readonly at: Date;
  readonly durationMs: number;
  readonly result: AttemptResult;
}

/** `late`: another worker has claimed it meanwhile, so that nothing was recorded. */
export type AttemptOutcome = 'delivered' | 'retried' | 'exhausted' | 'late';

export interface RecordDeps extends DatabaseDeps, RetrySchedule {
  /** The duration of uninterrupted failures that disables an endpoint. */
  readonly disableAfterMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/**
 * Records attempts and what follows, in one transaction: the attempts, the deliveries' states, the
 * endpoints' health. Only the holder of the lease may record.
 * @returns one result per attempt, in their order
 * @throws AppError `database_unavailable`
 */
export async function recordAttempts(
  deps: RecordDeps,
  attempts: readonly Attempt[],
): Promise<AttemptOutcome[]> {
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
      const ofEndpoint = mine.filter(
        ({ attempt: { target, result } }) => target.id === endpoint.id && !result.unsent,
      );
      const health = ofEndpoint.reduce<Health>(
        (before, { attempt }) => healthAfter(before, attempt.result, now, limits),
        endpoint,
      );
      if (health !== endpoint) await storeHealth(tx, endpoint.id, health);
      const { disabledReason: reason } = health;
      if (reason !== null && endpoint.disabledReason === null) {
        disabled.push({ endpoint: await setDisabled(tx, now, endpoint.id, reason), reason });
      }
    }
    return decided.map(({ attempt, outcome }) =>
      recorded.has(attempt.delivery.id) ? outcome : 'late',
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
  readonly outcome: Exclude<AttemptOutcome, 'late'>;
  readonly nextAttemptAt: Date | null;
}

function decide(
  attempt: Attempt,
  now: Date,
  scheduleMs: readonly number[],
  random: number,
): Decided {
  const { result, delivery } = attempt;
  if (result.delivered) return { attempt, outcome: 'delivered', nextAttemptAt: null };
  const next = nextAttemptAt(scheduleMs, delivery.attempts + 1, now, result.retryAfterMs, random);
  return { attempt, outcome: next === null ? 'exhausted' : 'retried', nextAttemptAt: next };
}

/**
 * A delivery that was parked while it was being sent stays parked, unless it was delivered.
 * @returns the deliveries whose lease was still the one they were claimed with
 */
async function storeStates(tx: Tx, now: Date, decided: readonly Decided[]): Promise<Set<bigint>> {
  const rows = await tx.$queryRaw<{ id: bigint }[]>`
    UPDATE deliveries d SET attempts = d.attempts + 1, lease_until = NULL,
      state = CASE WHEN r.outcome = 'delivered' THEN 'delivered'
        WHEN d.state = 'pending' AND r.outcome = 'exhausted' THEN 'parked' ELSE d.state END,
      parked_reason = CASE WHEN r.outcome = 'delivered' THEN NULL
        WHEN d.state = 'pending' AND r.outcome = 'exhausted' THEN 'exhausted'
        ELSE d.parked_reason END,
      delivered_at = CASE WHEN r.outcome = 'delivered' THEN ${now} ELSE d.delivered_at END,
      next_attempt_at = COALESCE(r.next_attempt_at, d.next_attempt_at)
    FROM unnest(
      ${decided.map(({ attempt }) => attempt.delivery.id)}::bigint[],
      ${decided.map(({ attempt }) => attempt.delivery.leaseUntil)}::timestamptz[],
      ${decided.map(({ outcome }) => outcome)}::text[],
      ${decided.map((one) => one.nextAttemptAt)}::timestamptz[]
    ) AS r (id, lease_until, outcome, next_attempt_at)
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
      ${all.map(({ result }) => result.status)}::int[],
      ${all.map(({ result }) => result.error)}::text[],
      ${all.map(({ result }) => result.response)}::bytea[])`;
}

async function storeHealth(tx: Tx, id: bigint, health: Health): Promise<void> {
  const { failures, failingSince, openUntil, lastSuccessAt } = health;
  const data = { failures, failingSince, openUntil, lastSuccessAt };
  await tx.webhookEndpoint.updateMany({ where: { id }, data });
}
