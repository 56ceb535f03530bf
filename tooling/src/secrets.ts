import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '@payonce/testkit/machine/files';

/**
 * Passwords of this clone's stores and console: generated at the first start, kept in `.payonce/`.
 */
export interface LocalSecrets {
  readonly postgresPassword: string;
  readonly databasePassword: string;
  readonly queuePassword: string;
  readonly consolePassword: string;
  readonly consoleApiKey: string;
  /** 32 bytes in base64: seals the secrets that sign order events. */
  readonly encryptionKey: string;
}

export function localSecrets(state: string): LocalSecrets {
  const file = join(state, 'secrets.json');
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const secret = (bytes: number) => randomBytes(bytes).toString('base64url');
  const secrets: LocalSecrets = {
    postgresPassword: secret(24),
    databasePassword: secret(24),
    queuePassword: secret(24),
    consolePassword: secret(12),
    consoleApiKey: secret(32),
    encryptionKey: randomBytes(32).toString('base64'),
    // The database and its sealed secrets are older than this start.
    ...known,
  };
  writeFileAtomically(file, JSON.stringify(secrets, null, 2));
  return secrets;
}
