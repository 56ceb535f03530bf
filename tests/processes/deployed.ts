import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@payonce/prisma/migrate';
import { startApp as start } from '@payonce/testkit/machine/app';
import { stop } from '@payonce/testkit/machine/process';
import { notify } from '@payonce/testkit/sending/notify';
import { createSender } from '@payonce/testkit/sending/sender';
import type { SignedRequest, SignerId } from '@payonce/testkit/signers/request';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { storeFolder } from '@payonce/testkit/stores/store-folder';

const root = join(import.meta.dirname, '..', '..');

/** Processes as deployed, on separate stores for one test, with one folder for all their files. */
export function deployment() {
  const folder = storeFolder('deployed');
  const log = (name: string) => join(folder, `${name}.log`);
  const undo: (() => Promise<unknown> | unknown)[] = [
    () => rmSync(folder, { recursive: true, force: true }),
  ];
  const channelsFile = join(folder, 'channels.yaml');
  const sender = createSender();
  undo.push(() => sender.close());

  async function startRedis(): Promise<string> {
    const redis = await startOwnRedis();
    undo.push(() => redis.remove());
    return redis.url;
  }

  /** @returns the address of a migrated database */
  async function startDatabase(): Promise<string> {
    const postgres = await startOwnPostgres();
    undo.push(() => postgres.remove());
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
    const app = await start({
      name,
      main: join(from, 'apps', name, 'dist', 'main.js'),
      env: { PAYONCE_CHANNELS_FILE: channelsFile, ...env },
      logFile: log(name),
      onSpawn: (started) => undo.push(() => stop(started, 'SIGTERM', 20_000)),
    });
    const privately = async (path: string) => {
      const answer = await fetch(app.privateUrl + path);
      return { ok: answer.ok, text: await answer.text() };
    };
    /** To a gateway, as the provider. */
    const post = (provider: SignerId, channel: string, signed: SignedRequest) =>
      notify(sender, app.url, [provider, channel], signed);
    return { child: app.owned, port: app.port, privately, post };
  }

  async function end(): Promise<void> {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  }
  return { folder, channelsFile, log, undo, startRedis, startDatabase, startApp, end };
}

export type App = Awaited<ReturnType<ReturnType<typeof deployment>['startApp']>>;
