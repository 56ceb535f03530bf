import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { anyFreePort } from '../machine/ports.js';
import { killAll } from '../machine/process.js';
import { startPostgres } from './postgres.js';
import { storeFolder } from './store-folder.js';

/** A separate PostgreSQL for one test, to be killed and started again on its data. */
export interface OwnPostgres {
  /** Superuser URL of the maintenance database. */
  readonly adminUrl: string;
  /** Its data folder. */
  readonly data: string;
  /** Ends it and all of its sessions at once, as in a crash. */
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
      killAll([running.process]);
      await running.process.exited;
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
