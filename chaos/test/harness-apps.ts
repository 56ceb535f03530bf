import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningApp, startApp } from '@payonce/testkit/machine/app';
import { stop } from '@payonce/testkit/machine/process';

const WAIT_MS = 15_000;

export interface AppsOptions {
  /** The folder of logs and channel files. */
  readonly folder: string;
  readonly channelsFile: string;
  readonly root: string;
  readonly undo: (() => unknown)[];
}

/** Starts it as deployed, and waits until it reports that it is ready. */
export function startOne(
  { folder, channelsFile, root, undo }: AppsOptions,
  name: 'gateway' | 'worker',
  env: Readonly<Record<string, string>>,
): Promise<RunningApp> {
  return startApp({
    name,
    main: join(root, 'apps', name, 'dist', 'main.js'),
    cwd: root,
    env: { PAYONCE_CHANNELS_FILE: channelsFile, ...env },
    logFile: join(folder, `${name}-${randomUUID()}.log`),
    onSpawn: (started) => undo.push(() => stop(started, 'SIGKILL', WAIT_MS)),
  });
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
