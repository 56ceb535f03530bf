import { openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@payonce/prisma/migrate';
import { freshDatabase } from '@payonce/testkit/database';
import { eventually } from '@payonce/testkit/eventually';
import { startOwnRedis } from '@payonce/testkit/redis-server';
import { storeFolder } from '@payonce/testkit/store-folder';
import { anyFreePort } from '@payonce/tooling/ports';
import { startPostgres } from '@payonce/tooling/postgres';
import { own, stop } from '@payonce/tooling/process';
import { expect } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** Processes as deployed, on separate stores for one test, with one folder for all their files. */
export function deployment() {
  const folder = storeFolder('deployed');
  const log = (name: string) => join(folder, `${name}.log`);
  const undo: (() => Promise<unknown> | unknown)[] = [
    () => rmSync(folder, { recursive: true, force: true }),
  ];
  const channelsFile = join(folder, 'channels.yaml');

  async function startRedis(): Promise<string> {
    const redis = await startOwnRedis();
    undo.push(() => redis.remove());
    return redis.url;
  }

  /** @returns the address of a migrated database */
  async function startDatabase(): Promise<string> {
    const postgres = await startPostgres({
      folder: join(folder, 'postgres'),
      port: await anyFreePort(),
      password: 'of-this-test-alone',
      logFile: log('postgres'),
    });
    undo.push(() => rmSync(postgres.data, { recursive: true, force: true }));
    undo.push(() => postgres.stop());
    const { url } = await freshDatabase({ postgresUrl: postgres.adminUrl, templateDatabase: null });
    await migrate({ databaseUrl: url });
    return url;
  }

  /** @param from another built checkout than this one */
  async function startApp(
    name: 'gateway' | 'worker' | 'console',
    env: Record<string, string>,
    from: string = root,
  ) {
    const [port, privatePort] = [await anyFreePort(), await anyFreePort()];
    const child = own(name, process.execPath, [join(from, 'apps', name, 'dist', 'main.js')], {
      env: {
        PATH: process.env.PATH,
        PAYONCE_CHANNELS_FILE: channelsFile,
        PAYONCE_PORT: String(port),
        PAYONCE_PRIVATE_PORT: String(privatePort),
        ...env,
      },
      output: openSync(log(name), 'a'),
    });
    undo.push(() => stop(child, 'SIGTERM', 20_000));
    const privately = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${privatePort}${path}`);
      return { ok: answer.ok, text: await answer.text() };
    };
    await eventually(async () => expect((await privately('/readyz')).ok).toBe(true));
    return { child, port, privately };
  }

  async function end(): Promise<void> {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  }
  return { folder, channelsFile, log, undo, startRedis, startDatabase, startApp, end };
}

export type App = Awaited<ReturnType<ReturnType<typeof deployment>['startApp']>>;
