import { ConfigError } from '@payonce/core/config/env';
import type { DatabaseDeps } from '@payonce/core/database/deps';
import { applyDeclaredEndpoints } from '@payonce/core/deliveries/apply-declared';
import type { DeclaredEndpoint } from '@payonce/core/deliveries/declared';
import {
  type Deliveries,
  type DeliverySizes,
  startDeliveries,
} from '@payonce/core/deliveries/loop';
import type { AddressPolicy } from '@payonce/core/deliveries/networks';
import type { Log } from '@payonce/core/log';
import { startSchedule } from '@payonce/core/schedules';
import type { DeliveryMetrics } from './delivery-metrics.js';

export interface DeliveryConfig {
  /** Null: endpoints that need a secret are not told. */
  readonly encryptionKey: Buffer | null;
  readonly policy: AddressPolicy;
  /** From one try to the next. */
  readonly scheduleMs: readonly number[];
  readonly disableAfterMs: number;
  readonly sizes: DeliverySizes;
  /** Of the channel file. */
  readonly declared: readonly DeclaredEndpoint[];
  /** Reads them again. @throws ConfigError with every fault at once */
  readonly readDeclared: () => readonly DeclaredEndpoint[];
}

export interface OrderEvents {
  /** There may be something new to tell. */
  nudge(): void;
  /** The endpoints of the channel file are there, so that who applies may make deliveries. */
  isTelling(): boolean;
  /** Reads the endpoints of the channel file again. On any fault they stay, and the log names every fault. */
  reload(): void;
  /** The database may be ready since the last call: declares what could not be declared. */
  resume(): void;
  stop(): Promise<void>;
}

/** A database that was away is asked again so often. */
const DECLARE_RETRY_MS = 5_000;

/** Tells merchants' systems of order events, for as long as the process runs. */
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
    // Else it was read again meanwhile, and has its turn.
    if (undeclared === wanted) undeclared = null;
    // What is fanned out while its endpoint is not there is told to nobody, for ever; so it waits.
    if (encryptionKey !== null || wanted.every(({ secret }) => secret === null)) {
      deliveries ??= begin();
    }
  };
  /** One after the other, or an older file could have the last word. */
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
    // Should it fail, the schedule does it.
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
