/** The attempts under way: each sends one delivery and records what became of it. */
import { createBatcher } from '@payonce/core/runtime/batcher';
import { withDeadline } from '@payonce/core/runtime/deadline';
import type { ClaimedDelivery, Target } from './claim.js';
import type { GuardOptions } from './guarded-connect.js';
import {
  type Attempt,
  type AttemptOutcome,
  type RecordDeps,
  recordAttempts,
} from './record-attempts.js';
import { type Handler, send } from './send.js';
import { createWebhookClient } from './webhook-client.js';

export interface AttemptOptions {
  readonly deps: RecordDeps;
  readonly guard: GuardOptions;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly onAttempt?: ((attempt: Attempt, outcome: AttemptOutcome) => void) | undefined;
}

export interface Attempts {
  /** All attempts under way. */
  readonly total: number;
  /** The attempts under way to one endpoint. */
  to(endpointId: bigint): number;
  /** Begins an attempt; `onEnd` is called when it is over, recorded or not. */
  begin(target: Target, delivery: ClaimedDelivery, onEnd: () => void): void;
  /** Waits for the attempts under way; what takes longer than `limitMs` is abandoned. */
  stop(limitMs: number): Promise<void>;
}

/** Results per transaction; one transaction at a time leaves the pool to others. */
const RECORD_LIMIT = 100;

export function createAttempts({ deps, guard, handlers, onAttempt }: AttemptOptions): Attempts {
  const client = createWebhookClient(guard);
  const recorder = createBatcher<Attempt, AttemptOutcome>({
    apply: async (attempts) =>
      (await recordAttempts(deps, attempts)).map((value) => ({ status: 'fulfilled', value })),
    maxBatchSize: RECORD_LIMIT,
    maxBatchesInFlight: 1,
  });
  const underWay = new Set<Promise<void>>();
  const byEndpoint = new Map<bigint, number>();
  let abandoned = false;

  const attempt = async (target: Target, delivery: ClaimedDelivery) => {
    const made = await send({ clock: deps.clock, client, handlers }, target, delivery);
    if (abandoned) return;
    try {
      const outcome = await recorder.submit(made);
      logAttempt(deps, made, outcome);
      onAttempt?.(made, outcome);
    } catch (err) {
      // The lease ends by itself. Then the delivery is sent again under the same ID.
      deps.log.warn({ err, delivery: delivery.id }, 'delivery.not_recorded');
    }
  };

  const count = (endpointId: bigint, change: 1 | -1) => {
    const now = (byEndpoint.get(endpointId) ?? 0) + change;
    if (now > 0) byEndpoint.set(endpointId, now);
    else byEndpoint.delete(endpointId);
  };

  return {
    get total() {
      return underWay.size;
    },
    to: (endpointId) => byEndpoint.get(endpointId) ?? 0,
    begin(target, delivery, onEnd) {
      count(target.id, 1);
      const made = attempt(target, delivery).finally(() => {
        underWay.delete(made);
        count(target.id, -1);
        onEnd();
      });
      underWay.add(made);
    },
    async stop(limitMs) {
      await withDeadline(Promise.all(underWay), limitMs, 'attempts under way').catch(() => {
        abandoned = true;
      });
      await client.close();
      await recorder.close();
    },
  };
}

function logAttempt(
  { log }: RecordDeps,
  { target, delivery, result, durationMs: ms }: Attempt,
  outcome: AttemptOutcome,
): void {
  const { merchant, name: endpoint } = target;
  const { id, type } = delivery;
  const { status, error } = result;
  const line = { merchant, endpoint, delivery: id, type, status, error, ms, outcome };
  if (outcome === 'delivered') log.debug(line, 'delivery.attempted');
  else log.info(line, 'delivery.attempted');
}
