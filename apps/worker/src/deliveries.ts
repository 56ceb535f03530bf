import { ConfigError } from '@payonce/core/runtime/errors';
import type { Log } from '@payonce/core/runtime/log';
import { startSchedule } from '@payonce/core/runtime/schedules';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { applyDeclaredEndpoints } from '@payonce/orders/deliveries/apply-declared';
import type { DeclaredEndpoint } from '@payonce/orders/deliveries/declared';
import {
  type Deliveries,
  type DeliverySizes,
  startDeliveries,
} from '@payonce/orders/deliveries/loop';
import type { AddressPolicy } from '@payonce/orders/deliveries/networks';
import type { DeliveryMetrics } from './delivery-metrics.js';

export interface DeliveryConfig {
  /** Null: endpoints that need a secret receive nothing. */
  readonly encryptionKey: Buffer | null;
  readonly policy: AddressPolicy;
  /** The waits between tries. */
  readonly scheduleMs: readonly number[];
  readonly disableAfterMs: number;
  readonly sizes: DeliverySizes;
  /** The endpoints of the channel file. */
  readonly declared: readonly DeclaredEndpoint[];
  /** Reads them again. @throws ConfigError with all faults at once */
  readonly readDeclared: () => readonly DeclaredEndpoint[];
}

export interface OrderEvents {
  /** There may be new order events. */
  nudge(): void;
  /** The endpoints of the channel file exist, so that applying may create deliveries. */
  isTelling(): boolean;
  /**
   * Reads the endpoints of the channel file again. On any fault they stay, and the log names all
   * faults.
   */
  reload(): void;
  /** Declares pending endpoints. Call it when the database may be ready again. */
  resume(): void;
  stop(): Promise<void>;
}

/** The retry interval for a database that is down. */
const DECLARE_RETRY_MS = 5_000;

/** Delivers order events to merchants' systems while the process runs. */
export function startOrderEvents(
  config: DeliveryConfig,
  {
    database,
    log,
    metrics,
    mayWork,
  }: {
    database: DatabaseDeps;
    log: Log;
    metrics: DeliveryMetrics;
    /** Whether the database is fit; nothing is declared or claimed otherwise. */
    mayWork: () => boolean;
  },
): OrderEvents {
  const { encryptionKey, policy, scheduleMs, disableAfterMs, sizes } = config;
  if (encryptionKey === null) {
    log.warn('PAYONCE_ENCRYPTION_KEY is not set: endpoints that need a secret get no order events');
  }
  const begin = () =>
    startDeliveries({
      deps: { ...database, scheduleMs, disableAfterMs, random: Math.random },
      encryptionKey,
      guard: { policy },
      sizes,
      mayWork,
      onAttempt: (_attempt, recorded) => metrics.attempts.inc({ result: recorded }),
    });
  let deliveries: Deliveries | null = null;
  let undeclared: readonly DeclaredEndpoint[] | null = null;
  const declare = async () => {
    const wanted = undeclared;
    if (wanted === null || !mayWork()) return;
    const result = await applyDeclaredEndpoints({ ...database, encryptionKey }, wanted);
    log.info(result, 'endpoints.declared');
    // Otherwise the file was reloaded meanwhile, and its endpoints follow.
    if (undeclared === wanted) undeclared = null;
    // An event that is fanned out before its endpoint exists would never be delivered, so delivery
    // waits.
    if (encryptionKey !== null || wanted.every(({ secret }) => secret === null)) {
      deliveries ??= begin();
    }
  };
  /** One after the other; otherwise an older file could overwrite a newer one. */
  let turn = Promise.resolve();
  const failed = (err: unknown) =>
    log.warn({ err }, 'the endpoints of the channel file could not be applied');
  const declareInTurn = () => {
    turn = turn.then(declare).catch(failed);
    return turn;
  };
  const schedule = startSchedule({
    intervalMs: DECLARE_RETRY_MS,
    run: async () => {
      await declareInTurn();
      return false;
    },
    onError: failed,
  });
  const declareSoon = (endpoints: readonly DeclaredEndpoint[]) => {
    undeclared = endpoints;
    // If it fails, the schedule retries it.
    void declareInTurn();
  };
  declareSoon(config.declared);
  return {
    nudge: () => deliveries?.nudge(),
    isTelling: () => deliveries !== null,
    resume() {
      if (undeclared !== null) void declareInTurn();
    },
    reload() {
      try {
        declareSoon(config.readDeclared());
      } catch (error) {
        const why = error instanceof ConfigError ? { faults: error.faults } : { err: error };
        log.error(why, 'the endpoints cannot be reloaded, the old ones stay in use');
      }
    },
    async stop() {
      await schedule.stop();
      await turn;
      await deliveries?.stop();
    },
  };
}
