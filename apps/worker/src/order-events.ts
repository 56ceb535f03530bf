import { ConfigError } from '@payonce/core/runtime/errors';
import type { Log } from '@payonce/core/runtime/log';
import { startSchedule } from '@payonce/core/runtime/schedules';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  type Deliveries,
  type DeliverySizes,
  startDeliveries,
} from '@payonce/orders/deliveries/loop';
import { applyDeclaredEndpoints } from '@payonce/orders/endpoints/apply-declared';
import type { DeclaredEndpoint } from '@payonce/orders/endpoints/declared';
import type { EncryptionKeys } from '@payonce/orders/endpoints/encryption-keys';
import type { AddressPolicy } from '@payonce/orders/endpoints/networks';
import type { DeliveryMetrics } from './metrics/order-event-metrics.js';

export interface DeliveryConfig {
  /** Null: endpoints that need a secret receive nothing. */
  readonly encryptionKeys: EncryptionKeys | null;
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
  mayFanOut(): boolean;
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

interface OrderEventDeps {
  readonly database: DatabaseDeps;
  readonly log: Log;
  readonly metrics: DeliveryMetrics;
  /** Whether the database is fit; nothing is declared or claimed otherwise. */
  readonly mayWork: () => boolean;
}

/** Delivers order events to merchants' systems while the process runs. */
export function startOrderEvents(config: DeliveryConfig, deps: OrderEventDeps): OrderEvents {
  const { log } = deps;
  if (config.encryptionKeys === null) {
    log.warn({ unset: 'PAYONCE_ENCRYPTION_KEY' }, 'endpoints.secrets_unavailable');
  }
  let deliveries: Deliveries | null = null;
  const declaration = declareEndpoints(config, deps, (endpoints) => {
    // An event that is fanned out before its endpoint exists would never be delivered, so delivery
    // waits.
    const usable =
      config.encryptionKeys !== null || endpoints.every(({ secret }) => secret === null);
    if (usable) deliveries ??= begin(config, deps);
  });
  declaration.declare(config.declared);
  return {
    nudge: () => deliveries?.nudge(),
    mayFanOut: () => deliveries !== null,
    resume: declaration.resume,
    reload() {
      try {
        declaration.declare(config.readDeclared());
      } catch (error) {
        const why = error instanceof ConfigError ? { faults: error.faults } : { err: error };
        log.error(why, 'endpoints.reload_failed');
      }
    },
    async stop() {
      await declaration.stop();
      await deliveries?.stop();
    },
  };
}

function begin(config: DeliveryConfig, { database, metrics, mayWork }: OrderEventDeps): Deliveries {
  const { encryptionKeys, policy, scheduleMs, disableAfterMs, sizes } = config;
  return startDeliveries({
    deps: { ...database, scheduleMs, disableAfterMs, random: Math.random },
    encryptionKeys,
    guard: { policy },
    sizes,
    mayWork,
    onAttempt: (_attempt, outcome) => metrics.attempts.inc({ result: outcome }),
  });
}

/** Brings the database in line with the channel file's endpoints, and retries until it has. */
function declareEndpoints(
  { encryptionKeys }: DeliveryConfig,
  { database, log, mayWork }: OrderEventDeps,
  onDeclared: (endpoints: readonly DeclaredEndpoint[]) => void,
) {
  let undeclared: readonly DeclaredEndpoint[] | null = null;
  const declareNow = async () => {
    const wanted = undeclared;
    if (wanted === null || !mayWork()) return;
    const result = await applyDeclaredEndpoints({ ...database, encryptionKeys }, wanted);
    log.info(result, 'endpoints.declared');
    // Otherwise the file was reloaded meanwhile, and its endpoints follow.
    if (undeclared === wanted) undeclared = null;
    onDeclared(wanted);
  };
  /** One after the other; otherwise an older file could overwrite a newer one. */
  let turn = Promise.resolve();
  const failed = (err: unknown) => log.warn({ err }, 'endpoints.declare_failed');
  const declareInTurn = () => {
    turn = turn.then(declareNow).catch(failed);
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
  return {
    declare(endpoints: readonly DeclaredEndpoint[]) {
      undeclared = endpoints;
      // If it fails, the schedule retries it.
      void declareInTurn();
    },
    resume() {
      if (undeclared !== null) void declareInTurn();
    },
    async stop() {
      await schedule.stop();
      await turn;
    },
  };
}
