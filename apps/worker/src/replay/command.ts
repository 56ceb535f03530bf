import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { collectFaults, type Env, readEnv, storeUrl } from '@payonce/core/config/env';
import { openBullQueue } from '@payonce/core/queue/bull-queue';
import { openPositionMemory } from '@payonce/core/queue/position-memory';
import { type QueueSettings, readQueueSettings } from '@payonce/core/queue/queue-settings';
import { queueName, queuesOf } from '@payonce/core/queue/shards';
import { withDeadline } from '@payonce/core/runtime/deadline';
import { ConfigError, linesOf } from '@payonce/core/runtime/errors';
import { createLog } from '@payonce/core/runtime/log';
import { findOpenRewinds, greatestFloor, recordRewind } from '@payonce/orders/database/rewinds';
import { findMissingOrders } from '@payonce/orders/notifications/held/missing-orders';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';

const HELP = `Applies again what the queues still hold, after PostgreSQL went back to an earlier state.

  node apps/worker/dist/replay/main.js             prints what the queues hold; changes nothing
  node apps/worker/dist/replay/main.js --execute   has workers put it back, waits, and prints what is missing

  --reason TEXT    recorded with it ("replay command")
  --help           this text

Workers do this by themselves when they find that the database went back. This command is for when they
cannot: without Redis, or after a dump was restored row by row. It is safe at any time: what the database
knows becomes a duplicate. Versions of orders jump, and repeated order events are marked \`replayed\`.

It needs the worker's DATABASE_URL and the settings of its queue, and a running worker.

Exit codes: 0 done; 1 failed, or no worker did it within two minutes; 2 wrong option or setting.`;

const settings = { DATABASE_URL: storeUrl('postgres:', 'postgresql:') };
const WAIT_MS = 120_000;
const LOOK_MS = 500;
const ASK_LIMIT_MS = 10_000;
const MOST_SHOWN = 100;

class UsageError extends Error {}

/**
 * The command, with its arguments and its environment.
 * @param print receives one line, without its line break
 * @returns the exit code
 */
export async function replayCommand(
  args: readonly string[],
  env: Env,
  print: (line: string) => void,
): Promise<0 | 1 | 2> {
  try {
    const { help, execute, reason } = parse(args);
    if (help) {
      print(HELP);
      return 0;
    }
    return await run({ execute: execute === true, reason: reason ?? 'replay command' }, env, print);
  } catch (error) {
    linesOf(error).forEach(print);
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  }
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  const options = { execute: flag, help: flag, reason: { type: 'string' } } as const;
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function run(
  { execute, reason }: { readonly execute: boolean; readonly reason: string },
  env: Env,
  print: (line: string) => void,
): Promise<0 | 1> {
  const { own, queues } = collectFaults({
    own: () => readEnv(settings, env),
    queues: () => readQueueSettings(env),
  });
  const prisma = createPrisma({
    url: own.DATABASE_URL,
    poolSize: 2,
    applicationName: 'payonce-replay',
  });
  const memory = openPositionMemory(queues);
  try {
    for (const queue of queuesOf(queues)) print(await describe(queue));
    if (!execute) {
      print('Nothing was changed. With --execute, workers apply these jobs again.');
      return 0;
    }
    const remembered = await memory?.read();
    const floor = await greatestFloor(prisma);
    const log = createLog({ name: 'replay', level: 'silent' });
    await recordRewind({ prisma, log }, reason, Math.max(floor, remembered?.versionFloor ?? 0));
    if (!(await untilReplayed(prisma))) {
      print('No worker has put the jobs back within two minutes: start one; it does so then.');
      return 1;
    }
    print('Workers have put the jobs back.');
    await printMissing(prisma, print);
    return 0;
  } finally {
    memory?.close();
    await prisma.$disconnect();
  }
}

/** What a queue holds, in one line. */
async function describe(settings: QueueSettings): Promise<string> {
  const queue = openBullQueue(settings);
  const errors: { on(event: 'error', listener: () => void): unknown } = queue;
  errors.on('error', () => {});
  try {
    const look = async () => {
      const { completed = 0 } = await queue.getJobCounts('completed');
      const [oldest] = await queue.getJobs(['completed'], 0, 0, true);
      return { completed, oldest: oldest?.finishedOn };
    };
    const { completed, oldest } = await withDeadline(look(), ASK_LIMIT_MS, queueName(settings));
    const since = oldest === undefined ? '' : `, the oldest of ${new Date(oldest).toISOString()}`;
    return `${queueName(settings)}: ${completed} completed jobs${since}`;
  } finally {
    await queue.close().catch(() => {});
  }
}

async function untilReplayed(prisma: PrismaClient): Promise<boolean> {
  const end = performance.now() + WAIT_MS;
  while (performance.now() < end) {
    if ((await findOpenRewinds(prisma)).length === 0) return true;
    await sleep(LOOK_MS);
  }
  return false;
}

async function printMissing(prisma: PrismaClient, print: (line: string) => void): Promise<void> {
  const missing = await findMissingOrders(prisma, MOST_SHOWN + 1);
  if (missing.length === 0) return print('No order is missing so far; the jobs are being applied.');
  print('These orders are missing so far. Register them again, and their payments are applied:');
  for (const { merchant, number } of missing.slice(0, MOST_SHOWN)) {
    print(`  ${merchant} ${JSON.stringify(number)}`);
  }
  if (missing.length > MOST_SHOWN) print(`  and more: see the console's list of held events`);
}
