import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { storeFolder } from '@payonce/testkit/store-folder';
import { anyFreePort } from '@payonce/tooling/ports';
import { startPostgres } from '@payonce/tooling/postgres';
import { stop } from '@payonce/tooling/process';

/** A separate PostgreSQL for one test, to be killed and started again on its data. */
export interface OwnPostgres {
  /** Superuser URL of the maintenance database. */
  readonly adminUrl: string;
  /** Its data folder. */
  readonly data: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = storeFolder('postgres');
  const server = {
    folder: join(folder, 'postgres'),
    port: await anyFreePort(),
    password: 'of-this-test-alone',
    logFile: join(folder, 'postgres.log'),
  };
  let running = await startPostgres(server);
  return {
    adminUrl: running.adminUrl,
    data: running.data,
    async kill() {
      await stop(running.process, 'SIGKILL', 10_000);
    },
    async start() {
      running = await startPostgres(server);
    },
    async remove() {
      await running.stop();
      rmSync(running.data, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
