import { execFileSync } from 'node:child_process';
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
  /** Copies its data while it is down for a moment. @returns puts the copy in place of the data */
  backUp(): Promise<() => Promise<void>>;
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
  async function kill() {
    killAll([running.process]);
    await running.process.exited;
  }
  async function start() {
    running = await startPostgres(server);
  }
  /** With its owner, which is not the user of this process. */
  const copy = (from: string, to: string) => {
    rmSync(to, { recursive: true, force: true });
    execFileSync('cp', ['-a', from, to]);
  };
  return {
    adminUrl: running.adminUrl,
    data: running.data,
    kill,
    start,
    async backUp() {
      const backup = `${running.data}-backup`;
      await kill();
      copy(running.data, backup);
      await start();
      return async () => {
        await kill();
        copy(backup, running.data);
        await start();
      };
    },
    async remove() {
      await running.stop();
      rmSync(running.data, { recursive: true, force: true });
      rmSync(`${running.data}-backup`, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
