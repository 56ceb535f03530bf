/** The delivery loop: creates deliveries, claims the due ones and begins an attempt for each. */
import type { EncryptionKeys } from '../endpoints/encryption-keys.js';
import { createAttempts } from './attempts.js';
import { claimDeliveries, findDueWork, type SenderCapabilities } from './claim.js';
import { fanOut, parkOrphans } from './fan-out.js';
import type { GuardOptions } from './guarded-connect.js';
import { LEASE_MS } from './lease.js';
import { redateDeliveries } from './misdated.js';
import { startPolling } from './polling.js';
import type { Attempt, AttemptOutcome, RecordDeps } from './record-attempts.js';
import type { Handler } from './send.js';

export interface DeliverySizes {
  /** Concurrent attempts; their sockets are mostly idle. */
  readonly concurrency: number;
  /** Of these for one endpoint, so that a slow one takes no room from others. */
  readonly perEndpoint: number;
  /** The poll interval without a nudge. */
  readonly pollMs: number;
  /** How long stopping waits for attempts under way. */
  readonly drainMs: number;
}

export interface DeliveryOptions {
  readonly deps: RecordDeps;
  /** PAYONCE_ENCRYPTION_KEY; without it only handlers receive events. */
  readonly encryptionKeys: EncryptionKeys | null;
  readonly guard: GuardOptions;
  /** By name: the handlers of endpoints with the address `handler:NAME`. */
  readonly handlers?: Readonly<Record<string, Handler>>;
  readonly sizes: DeliverySizes;
  /** While false, nothing is claimed or created; attempts under way go on. */
  readonly mayWork?: () => boolean;
  readonly onAttempt?: (attempt: Attempt, outcome: AttemptOutcome) => void;
}

export interface Deliveries {
  /** Looks for work now instead of at the next poll. */
  nudge(): void;
  /**
   * Stops claiming and waits for the attempts under way. An attempt that takes too long is
   * abandoned and    * repeated later.
   */
  stop(): Promise<void>;
}

/** Order events whose deliveries one statement creates. */
const FAN_OUT_LIMIT = 500;

export function startDeliveries(options: DeliveryOptions): Deliveries {
  const { deps, sizes, mayWork = () => true } = options;
  const handlers = new Map(Object.entries(options.handlers ?? {}));
  const capabilities: SenderCapabilities = {
    encryptionKeys: options.encryptionKeys,
    handlers: [...handlers.keys()],
  };
  const attempts = createAttempts({ ...options, handlers });
  /** Endpoints that cannot be signed for and are already in the log: once is enough. */
  const unsignable = new Set<bigint>();
  let stopped = false;

  const look = async () => {
    if (!mayWork()) return;
    const due = await findDueEndpoints(deps, capabilities, () => stopped);
    // The endpoint with the fewest attempts comes first. Otherwise a few slow ones would take all
    // free room.
    const sorted = [...due].sort((a, b) => attempts.to(a) - attempts.to(b));
    for (const endpointId of sorted) if (!stopped) await claim(endpointId);
  };

  const claim = async (endpointId: bigint) => {
    const inHand = attempts.to(endpointId);
    const room = Math.min(sizes.perEndpoint - inHand, sizes.concurrency - attempts.total);
    if (room <= 0) return;
    const limits = { room, inHand, leaseMs: LEASE_MS };
    const claimed = await claimDeliveries(deps, capabilities, endpointId, limits);
    if (claimed.result === 'cannot_sign') {
      const { merchant, name, key } = claimed;
      if (!unsignable.has(endpointId))
        deps.log.error({ merchant, endpoint: name, key }, 'endpoint.cannot_sign');
      unsignable.add(endpointId);
    } else if (claimed.result === 'claimed') {
      unsignable.delete(endpointId);
      const { target, deliveries } = claimed;
      for (const delivery of deliveries) attempts.begin(target, delivery, polling.nudge);
    }
  };

  const polling = startPolling(deps.log, sizes.pollMs, look);
  polling.nudge();
  return {
    nudge: polling.nudge,
    async stop() {
      stopped = true;
      await polling.stop();
      await attempts.stop(sizes.drainMs);
    },
  };
}

/** Repairs and creates deliveries, then returns the endpoints with due ones. */
async function findDueEndpoints(
  deps: RecordDeps,
  capabilities: SenderCapabilities,
  isStopped: () => boolean,
): Promise<readonly bigint[]> {
  const work = await findDueWork(deps, capabilities);
  if (work.hasOrphans) await parkOrphans(deps);
  if (work.hasMisdated) await redateDeliveries(deps);
  if (work.hasUnfannedEvents) {
    while (!isStopped() && (await fanOut(deps, FAN_OUT_LIMIT)) === FAN_OUT_LIMIT);
  }
  const isCurrent = !work.hasUnfannedEvents && !work.hasMisdated;
  return isCurrent ? work.due : (await findDueWork(deps, capabilities)).due;
}
