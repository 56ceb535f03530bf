import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { holdsWithin, now } from '../clock.js';
import type { Fault, Stage } from './fault.js';

/** Debian puts it below the architecture's name. MT: Node has several threads. */
const LIBRARY = 'faketime/libfaketimeMT.so.1';
const INSTALL_LIMIT_MS = 120_000;
const READY_LIMIT_MS = 15_000;
/** WeChat Pay v3 allows five minutes. */
const ALLOWED_S = 300;

export const clockFaults: readonly Fault[] = [
  skewed('clock-skew-allowed', 'the clock of one gateway is wrong by less than five minutes', [
    60,
    ALLOWED_S - 60,
  ]),
  skewed(
    'clock-skew-excessive',
    'the clock of one gateway is wrong by more than five minutes: it refuses v3, the other does not',
    [ALLOWED_S + 60, 24 * 3_600],
  ),
];

function skewed(name: string, does: string, [least, most]: readonly [number, number]): Fault {
  return {
    name,
    does,
    lasts: 'short',
    arrange: async () => {
      if (findLibrary() === null) await install();
      return findLibrary() === null ? "Debian's faketime is not installed" : null;
    },
    async begin(stage) {
      const library = findLibrary();
      if (library === null) throw new Error('faketime is gone');
      const gateway = stage.random.pick(stage.cluster.gateways);
      const seconds = stage.random.between(least, most) * (stage.random.chance(0.5) ? 1 : -1);
      const startedAt = now();
      await restartWith(stage, gateway, {
        LD_PRELOAD: library,
        FAKETIME: `${seconds > 0 ? '+' : ''}${seconds}s`,
        // Timers go on as they should: it is the calendar that is wrong.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
      });
      return async () => {
        const refused = stage.load.refusedSince(startedAt);
        stage.say(`${gateway.part.name} ${seconds} s, ${refused} genuine ones refused`);
        await restartWith(stage, gateway, {});
      };
    },
  };
}

/** With SIGTERM: the requests in hand are answered first. */
async function restartWith(
  { cluster }: Stage,
  gateway: Stage['cluster']['gateways'][number],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  gateway.setEnv(env);
  await gateway.part.restart();
  await holdsWithin(READY_LIMIT_MS, cluster.isReady);
}

function findLibrary(): string | null {
  for (const folder of ['/usr/lib', '/usr/lib64', '/usr/local/lib']) {
    if (!existsSync(folder)) continue;
    for (const below of ['', ...readdirSync(folder).filter((entry) => entry.includes('linux'))]) {
      const file = [folder, below, LIBRARY].filter(Boolean).join('/');
      if (existsSync(file)) return file;
    }
  }
  return null;
}

async function install(): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const run = (...args: string[]) =>
    promisify(execFile)('apt-get', args, {
      timeout: INSTALL_LIMIT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).catch(() => {});
  await run('update', '-qq');
  await run('install', '-y', '-qq', 'faketime');
}
