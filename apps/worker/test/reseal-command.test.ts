import { randomBytes } from 'node:crypto';
import { createEndpoint } from '@payonce/orders/endpoints/commands';
import { parseEncryptionKeys } from '@payonce/orders/endpoints/encryption-keys';
import { createAddressPolicy } from '@payonce/orders/endpoints/networks';
import { openSecret, parseSecret } from '@payonce/orders/endpoints/secret';
import { expect, test } from 'vitest';
import { resealCommand } from '../src/reseal/command.js';
import { silent } from './queues.js';
import { openTestDatabase } from './running.js';

const base64 = () => randomBytes(32).toString('base64');

function keysOf(text: string) {
  const keys = parseEncryptionKeys(text);
  if (typeof keys === 'string') throw new Error(keys);
  return keys;
}

async function open(keys: string) {
  const database = await openTestDatabase();
  const { prisma, url } = database;
  const clock = () => new Date();
  const policy = createAddressPolicy([]);
  const deps = { prisma, clock, log: silent, encryptionKeys: keysOf(keys), policy };
  const made = await createEndpoint(deps, {
    ...{ merchant: 'tea', name: 'erp', url: 'https://shop.example/hooks', eventTypes: [] },
    ...{ actor: 'test', reason: null },
  });
  if (made.result !== 'done' || made.secret === null) throw new Error(made.result);
  const secret = parseSecret(made.secret);
  const lines: string[] = [];
  return {
    lines,
    run: (present: string, ...args: string[]) => {
      lines.length = 0;
      const env = { DATABASE_URL: url, PAYONCE_ENCRYPTION_KEY: present };
      return resealCommand(args, env, (line) => void lines.push(line));
    },
    opensWith: async (text: string) => {
      const row = await prisma.webhookEndpoint.findFirstOrThrow();
      const opened = row.secret && openSecret(keysOf(text), row, row.secret);
      return opened !== null && secret?.equals(opened);
    },
  };
}

test('secrets are sealed again under the first key, which then opens them alone', async () => {
  const [old, next] = [base64(), `2027:${base64()}`];
  const { run, lines, opensWith } = await open(old);
  expect(await run(`${next},${old}`)).toBe(0);
  expect(lines).toEqual([
    'key 2027: 0 secrets, and all new ones',
    'a key without an ID: 1 secrets',
    '1 endpoints would be sealed again. Nothing was changed.',
  ]);
  expect(await opensWith(next)).toBe(false);
  expect(await run(`${next},${old}`, '--execute')).toBe(0);
  expect(lines.slice(-3)).toEqual([
    '1 of 1 endpoints were sealed again.',
    'key 2027: 1 secrets, and all new ones',
    'a key without an ID: 0 secrets; it can be removed',
  ]);
  expect(await opensWith(next)).toBe(true);
  expect(await run(next, '--execute')).toBe(0);
  expect(lines).toContain('0 of 0 endpoints were sealed again.');
});

test('a secret whose key is missing is named with the ID of that key, and stays as it is', async () => {
  const lost = `lost:${base64()}`;
  const { run, lines, opensWith } = await open(lost);
  expect(await run(`2027:${base64()}`, '--execute')).toBe(1);
  expect(lines.at(-1)).toBe(
    'tea erp: does not open. It was sealed under key lost: add that key, or give the endpoint a new secret',
  );
  expect(await opensWith(lost)).toBe(true);
});

test('a wrong setting is named, with exit code 2', async () => {
  const lines: string[] = [];
  const env = { DATABASE_URL: 'postgres://h/d', PAYONCE_ENCRYPTION_KEY: 'short' };
  expect(await resealCommand([], env, (line) => void lines.push(line))).toBe(2);
  expect(lines.join()).toContain('PAYONCE_ENCRYPTION_KEY: must be 32 random bytes in base64');
});
