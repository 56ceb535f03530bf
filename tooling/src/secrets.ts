import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Passwords of this clone's own stores and console: made at the first start, kept in `.payonce/`. */
export interface LocalSecrets {
  readonly postgresPassword: string;
  readonly databasePassword: string;
  readonly queuePassword: string;
  readonly consolePassword: string;
  readonly consoleApiKey: string;
}

export function localSecrets(state: string): LocalSecrets {
  const file = join(state, 'secrets.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as LocalSecrets;
  const secret = (bytes: number) => randomBytes(bytes).toString('base64url');
  const secrets: LocalSecrets = {
    postgresPassword: secret(24),
    databasePassword: secret(24),
    queuePassword: secret(24),
    consolePassword: secret(12),
    consoleApiKey: secret(32),
  };
  writeFileSync(file, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  return secrets;
}
