import { parseArgs } from 'node:util';
import { type Env, readEnv, storeUrl } from '@payonce/core/config/env';
import { systemClock } from '@payonce/core/runtime/clock';
import { ConfigError, linesOf } from '@payonce/core/runtime/errors';
import { createLog } from '@payonce/core/runtime/log';
import { webhookEnv } from '@payonce/orders/deliveries/webhook-settings';
import type { EncryptionKeys } from '@payonce/orders/endpoints/encryption-keys';
import { findSealed, type SealedEndpoint, sealAgain } from '@payonce/orders/endpoints/reseal';
import { createPrisma } from '@payonce/prisma/client';

const HELP = `Seals the stored secrets of endpoints under the first key of PAYONCE_ENCRYPTION_KEY.

  node apps/worker/dist/reseal/main.js             prints which key sealed what; changes nothing
  node apps/worker/dist/reseal/main.js --execute   seals everything again that another key sealed

  --help           this text

To replace a key: put the new one first (PAYONCE_ENCRYPTION_KEY=2027:BASE64,2026:BASE64), restart
consoles and workers, run this command, and remove the old key when it says so. It may run while they
work, and again after an interruption. The secrets themselves do not change.

It needs DATABASE_URL and PAYONCE_ENCRYPTION_KEY.

Exit codes: 0 done; 1 failed, or a secret does not open; 2 wrong option or setting.`;

const settings = {
  DATABASE_URL: storeUrl('postgres:', 'postgresql:'),
  PAYONCE_ENCRYPTION_KEY: webhookEnv.PAYONCE_ENCRYPTION_KEY.unwrap(),
};

class UsageError extends Error {}

/**
 * The command, with its arguments and its environment.
 * @param print receives one line, without its line break
 * @returns the exit code
 */
export async function resealCommand(
  args: readonly string[],
  env: Env,
  print: (line: string) => void,
): Promise<0 | 1 | 2> {
  try {
    const { help, execute } = parse(args);
    if (help) {
      print(HELP);
      return 0;
    }
    return await run(execute === true, env, print);
  } catch (error) {
    linesOf(error).forEach(print);
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  }
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  const options = { execute: flag, help: flag } as const;
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function run(execute: boolean, env: Env, print: (line: string) => void): Promise<0 | 1> {
  const { DATABASE_URL: url, PAYONCE_ENCRYPTION_KEY: keys } = readEnv(settings, env);
  const prisma = createPrisma({ url, poolSize: 2, applicationName: 'payonce-reseal' });
  const log = createLog({ name: 'reseal', level: 'silent' });
  const deps = { prisma, log, clock: systemClock };
  try {
    const before = await findSealed(deps, keys);
    printKeys(keys, before, print);
    const others = before.filter(({ keyIds }) => keyIds.some((id) => id !== keys[0].id));
    if (!execute) {
      print(`${others.length} endpoints would be sealed again. Nothing was changed.`);
      return printClosed(before, print);
    }
    let done = 0;
    for (const { id } of others) if (await sealAgain(deps, keys, id)) done += 1;
    print(`${done} of ${others.length} endpoints were sealed again.`);
    const after = await findSealed(deps, keys);
    printKeys(keys, after, print);
    return printClosed(after, print);
  } finally {
    await prisma.$disconnect();
  }
}

function printKeys(
  keys: EncryptionKeys,
  endpoints: readonly SealedEndpoint[],
  print: (line: string) => void,
): void {
  for (const [index, { id }] of keys.entries()) {
    const count = endpoints.flatMap(({ keyIds }) => keyIds.filter((one) => one === id)).length;
    const removable = index > 0 && count === 0 ? '; it can be removed' : '';
    print(`${nameOf(id)}: ${count} secrets${index === 0 ? ', and all new ones' : ''}${removable}`);
  }
}

/** @returns the exit code */
function printClosed(endpoints: readonly SealedEndpoint[], print: (line: string) => void): 0 | 1 {
  const closed = endpoints.filter(({ opens }) => !opens);
  for (const { merchant, name, keyIds } of closed) {
    const under = keyIds.map(nameOf).join(', ');
    print(
      `${merchant} ${name}: does not open. It was sealed under ${under}: add that key, or give the endpoint a new secret`,
    );
  }
  return closed.length === 0 ? 0 : 1;
}

function nameOf(id: string | null): string {
  return id === null ? 'a key without an ID' : `key ${id}`;
}
