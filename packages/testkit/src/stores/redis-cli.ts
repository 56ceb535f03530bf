import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RedisAccess } from './redis-access.js';

const run = promisify(execFile);

/**
 * Runs `redis-cli`. @returns its output, including Redis's refusals. @throws without an answer in
 * time
 */
export async function redisCli(
  access: RedisAccess | undefined,
  words: readonly string[],
  limitMs = 2_000,
): Promise<string> {
  const tls = access ? ['--tls', '--cacert', access.caFile, '--user', access.username] : [];
  const { stdout } = await run('redis-cli', [...tls, ...words], {
    timeout: limitMs,
    env: { ...process.env, ...(access && { REDISCLI_AUTH: access.password }) },
  });
  return stdout.trim();
}

/** Sends one command to one server of this machine. */
export function ask(
  { port, access }: { readonly port: number; readonly access: RedisAccess | undefined },
  ...command: string[]
): Promise<string> {
  return redisCli(access, ['-p', String(port), ...command]);
}
