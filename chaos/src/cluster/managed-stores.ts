import { join } from 'node:path';
import type { OwnedProcess } from '@payonce/testkit/machine/process';
import { startPostgres } from '@payonce/testkit/stores/postgres';
import { startRedis } from '@payonce/testkit/stores/redis-server';
import { findProgram, REDIS } from '@payonce/tooling/programs';
import type { LocalSecrets } from '@payonce/tooling/secrets';
import { ManagedProcess } from './managed-process.js';

/**
 * The stores as processes of the cluster: those of `startStores`, started again on the same port
 * and data.
 */
export interface StoreOptions {
  readonly folder: string;
  readonly port: number;
  readonly secrets: LocalSecrets;
  readonly onSpawn: (owned: OwnedProcess) => void;
  readonly say: (line: string) => void;
}

export function keepPostgres({
  folder,
  port,
  secrets,
  onSpawn,
  say,
}: StoreOptions): ManagedProcess {
  return new ManagedProcess({
    name: 'postgres',
    say,
    // "Fast": ends sessions.
    signal: 'SIGINT',
    stopLimitMs: 15_000,
    start: (spawned) =>
      startPostgres({
        folder: join(folder, 'postgres'),
        port,
        password: secrets.postgresPassword,
        logFile: join(folder, 'logs', 'postgres.log'),
        onSpawn: both(onSpawn, spawned),
      }),
  });
}

export function keepRedis({ folder, port, onSpawn, say }: StoreOptions): ManagedProcess {
  return new ManagedProcess({
    name: 'redis',
    say,
    signal: 'SIGTERM',
    stopLimitMs: 10_000,
    start: async (spawned) => {
      await startRedis({
        server: findProgram(REDIS, process.env.PATH ?? ''),
        folder: join(folder, 'redis'),
        port,
        logFile: join(folder, 'logs', 'redis.log'),
        onSpawn: both(onSpawn, spawned),
      });
    },
  });
}

function both(...listeners: ((owned: OwnedProcess) => void)[]) {
  return (owned: OwnedProcess) => {
    for (const listener of listeners) listener(owned);
  };
}
