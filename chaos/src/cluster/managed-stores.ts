import type { OwnedProcess } from '@payonce/testkit/machine/process';
import { type StoresOptions, startLocalPostgres, startLocalRedis } from '@payonce/tooling/stores';
import { ManagedProcess, type ManagedProcessOptions } from './managed-process.js';

/**
 * The stores as processes of the cluster: those of `startStores`, started again on the same port
 * and data.
 */
export interface StoreOptions extends Omit<StoresOptions, 'env'> {
  readonly port: number;
  readonly say: (line: string) => void;
}

export function keepPostgres({ port, say, ...options }: StoreOptions): ManagedProcess {
  return new ManagedProcess({
    name: 'postgres',
    say,
    // "Fast": ends sessions.
    signal: 'SIGINT',
    stopLimitMs: 15_000,
    start: (spawned) => startLocalPostgres(port, both(options, spawned)),
  });
}

export function keepRedis({ port, say, ...options }: StoreOptions): ManagedProcess {
  return new ManagedProcess({
    name: 'redis',
    say,
    signal: 'SIGTERM',
    stopLimitMs: 10_000,
    start: (spawned) => startLocalRedis(port, both(options, spawned)),
  });
}

/** The same options, with a second listener. */
function both<Options extends Pick<StoresOptions, 'onSpawn'>>(
  options: Options,
  spawned: Parameters<ManagedProcessOptions['start']>[0],
): Options {
  const onSpawn = (owned: OwnedProcess) => {
    options.onSpawn(owned);
    spawned(owned);
  };
  return { ...options, onSpawn };
}
