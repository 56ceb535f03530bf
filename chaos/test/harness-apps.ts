import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyFreePort } from '@payonce/testkit/machine/ports';
import { isOk, type OwnedProcess, startProgram, stop } from '@payonce/testkit/machine/process';

const HOST = '127.0.0.1';
const WAIT_MS = 15_000;

export interface AppsOptions {
  /** The folder of logs and channel files. */
  readonly folder: string;
  readonly channelsFile: string;
  readonly root: string;
  readonly undo: (() => unknown)[];
}

export interface RunningApp {
  readonly owned: OwnedProcess;
  readonly url: string;
}

/** Starts it as deployed, and waits until it reports that it is ready. */
export async function startApp(
  { folder, channelsFile, root, undo }: AppsOptions,
  app: 'gateway' | 'worker',
  env: Readonly<Record<string, string>>,
): Promise<RunningApp> {
  const [port, privatePort] = [await anyFreePort(), await anyFreePort()];
  const logFile = join(folder, `${app}-${privatePort}.log`);
  const owned = await startProgram({
    name: app,
    main: join(root, 'apps', app, 'dist', 'main.js'),
    cwd: root,
    env: {
      PAYONCE_PORT: String(port),
      PAYONCE_PRIVATE_PORT: String(privatePort),
      PAYONCE_CHANNELS_FILE: channelsFile,
      ...env,
    },
    logFile,
    onSpawn: (started) => undo.push(() => stop(started, 'SIGKILL', WAIT_MS)),
    isReady: () => isOk(`http://${HOST}:${privatePort}/readyz`),
  });
  return { owned, url: `http://${HOST}:${port}` };
}

/** A copy of the channel file without one channel. */
export function channelsWithout(
  { folder, channelsFile }: Pick<AppsOptions, 'folder' | 'channelsFile'>,
  name: string | undefined,
): string {
  if (name === undefined) return channelsFile;
  const text = readFileSync(channelsFile, 'utf8');
  const without = text.replace(new RegExp(`^  ${name}:\n(?:    .*\n)+`, 'm'), '');
  if (without === text) throw new Error(`the channel file has no ${name}`);
  const file = join(folder, `channels-without-${name}.yaml`);
  writeFileSync(file, without);
  return file;
}
