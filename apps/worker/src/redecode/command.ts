import { parseArgs } from 'node:util';
import { readChannelFile } from '@payonce/core/config/channel-file';
import { collectFaults, type Env, readEnv, storeUrl } from '@payonce/core/config/env';
import { systemClock } from '@payonce/core/runtime/clock';
import { ConfigError, linesOf } from '@payonce/core/runtime/errors';
import { createLog } from '@payonce/core/runtime/log';
import type { EventOutcome } from '@payonce/orders/notifications/records/notification';
import {
  executeRedecode,
  planRedecode,
} from '@payonce/orders/notifications/redecode/redecode-plan';
import type { Redecoded } from '@payonce/orders/notifications/redecode/redecode-together';
import { createPrisma } from '@payonce/prisma/client';
import { decodeStored } from '../schedules/decode-stored.js';

const HELP = `Decodes held notifications again from their verified bytes, and evaluates them again.

  node apps/worker/dist/redecode/main.js                    prints a plan with each result; changes nothing
  node apps/worker/dist/redecode/main.js --execute DIGEST   carries out that plan, and nothing else

  --max N          the oldest N held notifications (100; at most 1000)
  --actor NAME     the actor, for the audit log ("redecode command")
  --reason TEXT    the reason, for the audit log
  --help           this text

It needs the worker's DATABASE_URL and PAYONCE_CHANNELS_FILE, and the keys that the channel file names.

Exit codes: 0 done; 1 failed; 2 wrong option or setting; 3 the plan has changed: nothing was done, or
only a part of it. Plan it again.`;

const MAX = 1_000;

const settings = { DATABASE_URL: storeUrl('postgres:', 'postgresql:') };

interface Options {
  readonly execute: string | undefined;
  readonly max: number;
  readonly actor: string;
  readonly reason: string | null;
}

/**
 * The command, with its arguments and its environment.
 * @param print receives one line, without its line break
 * @returns the exit code
 */
export async function redecodeCommand(
  args: readonly string[],
  env: Env,
  print: (line: string) => void,
): Promise<0 | 1 | 2 | 3> {
  try {
    const options = readOptions(args);
    if (options === 'help') {
      print(HELP);
      return 0;
    }
    return await run(options, env, print);
  } catch (error) {
    linesOf(error).forEach(print);
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  }
}

class UsageError extends Error {}

function readOptions(args: readonly string[]): Options | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const max = Number(values.max ?? 100);
  if (!Number.isInteger(max) || max < 1 || max > MAX) {
    throw new UsageError(`--max must be from 1 to ${MAX}`);
  }
  const { execute } = values;
  if (execute !== undefined && !/^[0-9a-f]{64}$/.test(execute)) {
    throw new UsageError('--execute needs the digest at the end of the plan');
  }
  return { execute, max, actor: values.actor ?? 'redecode command', reason: values.reason ?? null };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    ...{ execute: text, max: text, actor: text, reason: text },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function run(
  { execute, max, actor, reason }: Options,
  env: Env,
  print: (line: string) => void,
): Promise<0 | 1 | 3> {
  const { own, channels } = collectFaults({
    own: () => readEnv(settings, env),
    channels: () => readChannelFile(env),
  });
  const prisma = createPrisma({
    url: own.DATABASE_URL,
    poolSize: 2,
    applicationName: 'payonce-redecode',
  });
  // A failure is printed with its result.
  const log = createLog({ name: 'redecode', level: 'silent' });
  const deps = { prisma, log, clock: systemClock };
  const decode = decodeStored(channels);
  try {
    if (execute === undefined) {
      const { items, more, digest } = await planRedecode(deps, max, decode);
      for (const item of items) print(lineOf(item));
      print(summaryOf(items));
      if (more) print(`More than these ${max} are held.`);
      print(`Plan ${digest}`);
      return 0;
    }
    const done = await executeRedecode(deps, max, decode, { digest: execute, actor, reason });
    if (done.result === 'plan_changed') {
      print('The plan is out of date: it would now have other results. Nothing was done.');
      return 3;
    }
    for (const item of done.items) print(item.done ? lineOf(item) : `${lineOf(item)} (not done)`);
    const left = done.items.filter((item) => !item.done);
    print(summaryOf(done.items.filter((item) => item.done)));
    if (left.length === 0) return 0;
    print(`${left.length} were changed by somebody else meanwhile, and were left unchanged.`);
    return 3;
  } finally {
    await prisma.$disconnect();
  }
}

function lineOf({ row, result, events }: Redecoded): string {
  const name = `${row.id} ${row.channel} ${JSON.stringify(row.notificationId)}`;
  if (result !== 'decoded') return `${name}: ${result}`;
  const each = events.map(({ position, from, to }) => {
    return `event ${position} ${from ? textOf(from) : 'new'} -> ${textOf(to)}`;
  });
  return `${name}: ${each.join(', ')}`;
}

function textOf(outcome: EventOutcome): string {
  return outcome.outcome === 'held' ? `held (${outcome.reason})` : outcome.outcome;
}

function summaryOf(items: readonly Redecoded[]): string {
  const counts = new Map<string, number>();
  for (const { result, events } of items) {
    const names = result === 'decoded' ? events.map(({ to }) => textOf(to)) : [result];
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].sort().map(([name, count]) => `${count} ${name}`);
  return `${items.length} notifications: ${parts.join(', ') || 'nothing'}`;
}
