/**
 * The delivery loop: creates deliveries, claims the due ones, tries them and records the results.
 */
import { createBatcher } from '@payonce/core/runtime/batcher';
import { withDeadline } from '@payonce/core/runtime/deadline';
import { type Abilities, type Claimed, claimDeliveries, lookAround, type Target } from './claim.js';
import { fanOut, parkStrays } from './fan-out.js';
import type { GuardOptions } from './guarded-connect.js';
import { LEASE_MS } from './lease.js';
import { redateDeliveries } from './misdated.js';
import { createPoster } from './post.js';
import { type Attempt, type RecordDeps, type Recorded, recordAttempts } from './record.js';
import { type Handler, send } from './send.js';

export interface DeliverySizes {
  /** Concurrent tries; their sockets are mostly idle. */
  readonly concurrency: number;
  /** Of these for one endpoint, so that a slow one takes no room from others. */
  readonly perEndpoint: number;
  /** The poll interval without a nudge. */
  readonly pollMs: number;
  /** How long stopping waits for tries under way. */
  readonly drainMs: number;
}

export interface DeliveryOptions {
  readonly deps: RecordDeps;
  /** PAYONCE_ENCRYPTION_KEY; without it only handlers receive events. */
  readonly encryptionKey: Buffer | null;
  readonly guard: GuardOptions;
  /** By name: the handlers of endpoints with the address `handler:NAME`. */
  readonly handlers?: Readonly<Record<string, Handler>>;
  readonly sizes: DeliverySizes;
  /** While false, nothing is claimed or created; tries under way go on. */
  readonly mayWork?: () => boolean;
  readonly onAttempt?: (attempt: Attempt, recorded: Recorded) => void;
}

export interface Deliveries {
  /** Looks for work now instead of at the next poll. */
  nudge(): void;
  /**
   * Stops claiming and waits for the tries under way. A try that takes too long is abandoned and
   * repeated later.
   */
  stop(): Promise<void>;
}

/** Order events whose deliveries one statement creates. */
const FAN_OUT_LIMIT = 500;
/** Results per transaction; one transaction at a time leaves the pool to others. */
const RECORD_LIMIT = 100;

export function startDeliveries(options: DeliveryOptions): Deliveries {
  const { deps, sizes, guard, mayWork = () => true, onAttempt } = options;
  const { log } = deps;
  const handlers = new Map(Object.entries(options.handlers ?? {}));
  const abilities: Abilities = {
    encryptionKey: options.encryptionKey,
    handlers: [...handlers.keys()],
  };
  const poster = createPoster(guard);
  const recorder = createBatcher<Attempt, Recorded>({
    apply: async (attempts) =>
      (await recordAttempts(deps, attempts)).map((value) => ({ status: 'fulfilled', value })),
    maxBatchSize: RECORD_LIMIT,
    maxBatchesInFlight: 1,
  });
  const inHand = new Map<bigint, number>();
  const tries = new Set<Promise<void>>();
  /** Endpoints that cannot be signed for and are already in the log: once is enough. */
  const mute = new Set<bigint>();
  let wanted = false;
  let looking: Promise<void> | null = null;
  let stopped = false;
  let abandoned = false;
  let failing = false;

  const nudge = () => {
    wanted = true;
    if (stopped) return;
    looking ??= lookWhileWanted().finally(() => {
      looking = null;
      if (wanted) nudge();
    });
  };

  const lookWhileWanted = async () => {
    while (wanted && !stopped) {
      wanted = false;
      try {
        await look();
        if (failing) log.info('order events are delivered again');
        failing = false;
      } catch (err) {
        // The next poll tries again; one log line is enough.
        if (!failing) log.warn({ err }, 'looking for order events failed');
        failing = true;
      }
    }
  };

  const look = async () => {
    if (!mayWork()) return;
    const first = await lookAround(deps, abilities);
    if (first.strays) await parkStrays(deps);
    if (first.misdated) await redateDeliveries(deps);
    if (first.untold) while (!stopped && (await fanOut(deps, FAN_OUT_LIMIT)) === FAN_OUT_LIMIT);
    const { due } = first.untold || first.misdated ? await lookAround(deps, abilities) : first;
    // The endpoint with the fewest tries comes first. Otherwise a few slow ones would take all free
    // room.
    const sorted = [...due].sort((a, b) => (inHand.get(a) ?? 0) - (inHand.get(b) ?? 0));
    for (const endpointId of sorted) if (!stopped) await claim(endpointId);
  };

  const claim = async (endpointId: bigint) => {
    const mine = inHand.get(endpointId) ?? 0;
    const room = Math.min(sizes.perEndpoint - mine, sizes.concurrency - tries.size);
    if (room <= 0) return;
    const limits = { room, inHand: mine, leaseMs: LEASE_MS };
    const claimed = await claimDeliveries(deps, abilities, endpointId, limits);
    if (claimed.result === 'cannot_sign') {
      const { merchant, name } = claimed;
      if (!mute.has(endpointId)) log.error({ merchant, endpoint: name }, CANNOT_SIGN);
      mute.add(endpointId);
    } else if (claimed.result === 'claimed') {
      mute.delete(endpointId);
      for (const delivery of claimed.deliveries) begin(claimed.target, delivery);
    }
  };

  const begin = (target: Target, delivery: Claimed) => {
    inHand.set(target.id, (inHand.get(target.id) ?? 0) + 1);
    const made = attempt(target, delivery).finally(() => {
      tries.delete(made);
      const left = (inHand.get(target.id) ?? 1) - 1;
      if (left > 0) inHand.set(target.id, left);
      else inHand.delete(target.id);
      nudge();
    });
    tries.add(made);
  };

  const attempt = async (target: Target, delivery: Claimed) => {
    const made = await send({ clock: deps.clock, poster, handlers }, target, delivery);
    if (abandoned) return;
    try {
      const recorded = await recorder.submit(made);
      onAttempt?.(made, recorded);
    } catch (err) {
      // The lease ends by itself. Then the delivery is sent again under the same ID.
      log.warn({ err, delivery: delivery.id }, 'a delivery attempt could not be recorded');
    }
  };

  const timer = setInterval(nudge, sizes.pollMs);
  nudge();
  return {
    nudge,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      const settled = Promise.all(tries);
      await withDeadline(settled, sizes.drainMs, 'tries in hand').catch(() => {
        abandoned = true;
      });
      await poster.close();
      await recorder.close();
    },
  };
}

const CANNOT_SIGN =
  'nothing is sent: PAYONCE_ENCRYPTION_KEY does not decrypt the secret; rotate the secret, or restore the key';
