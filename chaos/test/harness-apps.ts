import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyFreePort } from '@payonce/tooling/ports';
import { type OwnedProcess, own, stop, until } from '@payonce/tooling/process';

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
  const main = join(root, 'apps', app, 'dist', 'main.js');
  const owned = own(app, process.execPath, [main], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      PAYONCE_PORT: String(port),
      PAYONCE_PRIVATE_PORT: String(privatePort),
      PAYONCE_CHANNELS_FILE: channelsFile,
      ...env,
    },
    output: openSync(logFile, 'a'),
  });
  undo.push(() => stop(owned, 'SIGKILL', WAIT_MS));
  const ready = () => fetch(`http://${HOST}:${privatePort}/readyz`).then(({ ok }) => ok);
  await until(`${app} to be ready`, WAIT_MS, () => ready().catch(() => false)).catch((error) => {
    throw new Error(`${error.message}; its log:\n${readFileSync(logFile, 'utf8')}`);
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
