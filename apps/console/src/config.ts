import {
  collectFaults,
  databaseEnv,
  type Env,
  list,
  logEnv,
  port,
  privateEnv,
  readEnv,
} from '@payonce/core/config/env';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { ConfigError } from '@payonce/core/runtime/errors';
import { ROLES } from '@payonce/orders/access/api-keys';
import { merchantsOf } from '@payonce/orders/access/merchants';
import { webhookEnv } from '@payonce/orders/deliveries/webhook-settings';
import { z } from 'zod';
import type { IdentitySettings } from './plugins/session-user.js';

/** Long enough that five guesses a minute for a year find nothing. */
const MIN_PASSWORD_CHARACTERS = 12;
/** A key that is compared by one SHA-256 must be random: 32 characters of hex are 128 bits. */
const MIN_API_KEY_CHARACTERS = 32;
/** scrypt takes any length; a form needs a limit. */
const MAX_SECRET_CHARACTERS = 1_024;

function secret(atLeast: number) {
  return z
    .string()
    .min(atLeast, `must have at least ${atLeast} characters`)
    .max(MAX_SECRET_CHARACTERS, `must have at most ${MAX_SECRET_CHARACTERS} characters`);
}

const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((text) => text === 'true')
  .optional();

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the name of a header')
  .transform((name) => name.toLowerCase());

const shape = {
  ...logEnv,
  ...privateEnv(8605),
  ...webhookEnv,
  PAYONCE_HOST: z.string().default('127.0.0.1'),
  PAYONCE_PORT: port(8603),
  ...databaseEnv,
  /** Only for display; the console reads none of its keys. */
  PAYONCE_CHANNELS_FILE: z.string().optional(),
  PAYONCE_CONSOLE_USER: z.string().max(64).default('operator'),
  PAYONCE_CONSOLE_PASSWORD: secret(MIN_PASSWORD_CHARACTERS),
  /** Has every right, and creates the first keys; afterwards it may be removed. */
  PAYONCE_CONSOLE_API_KEY: secret(MIN_API_KEY_CHARACTERS).optional(),
  /**
   * Whether browsers reach the console over https: then cookies are `Secure`. Set it to false for
   * plain http.
   */
  PAYONCE_CONSOLE_HTTPS: flag,
  PAYONCE_TRUSTED_PROXIES: list(),
  /**
   * The header in which an authenticating proxy names the person; accepted only from trusted
   * proxies.
   */
  PAYONCE_CONSOLE_IDENTITY_HEADER: headerName.optional(),
  PAYONCE_CONSOLE_IDENTITY_ROLE: z.enum(ROLES).default('operate'),
  /** The merchants of everybody whom that proxy names; all by default. */
  PAYONCE_CONSOLE_IDENTITY_MERCHANTS: z
    .string()
    .transform((text, context) => {
      const merchants = merchantsOf(text.split(',').map((entry) => entry.trim()));
      if (merchants !== null) return merchants;
      const message = 'must be comma-separated names of merchants, or patterns';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .optional(),
  /** The header in which that proxy names the merchants of each person. */
  PAYONCE_CONSOLE_IDENTITY_MERCHANTS_HEADER: headerName.optional(),
  NODE_ENV: z.string().optional(),
};

/** Rejects settings that have no effect but appear to, and limits that turned into none. */
function readSettings(env: Env) {
  const settings = readEnv(shape, env);
  const {
    PAYONCE_CONSOLE_IDENTITY_HEADER: person,
    PAYONCE_CONSOLE_IDENTITY_MERCHANTS: merchants,
    PAYONCE_CONSOLE_IDENTITY_MERCHANTS_HEADER: header,
    PAYONCE_TRUSTED_PROXIES: proxies,
  } = settings;
  const faults: string[] = [];
  if (person && proxies.length === 0) {
    faults.push(
      'PAYONCE_CONSOLE_IDENTITY_HEADER: needs PAYONCE_TRUSTED_PROXIES, which may send it',
    );
  }
  for (const name of [
    'PAYONCE_CONSOLE_IDENTITY_MERCHANTS',
    'PAYONCE_CONSOLE_IDENTITY_MERCHANTS_HEADER',
  ]) {
    if (env[name] === '') faults.push(`${name}: is empty; leave it out, or name merchants`);
    else if (env[name] && !person) faults.push(`${name}: needs PAYONCE_CONSOLE_IDENTITY_HEADER`);
  }
  if (merchants && header) {
    faults.push(
      'PAYONCE_CONSOLE_IDENTITY_MERCHANTS: must not be set together with PAYONCE_CONSOLE_IDENTITY_MERCHANTS_HEADER',
    );
  }
  if (person && header === person) {
    faults.push(
      'PAYONCE_CONSOLE_IDENTITY_MERCHANTS_HEADER: must not be the header of PAYONCE_CONSOLE_IDENTITY_HEADER',
    );
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return settings;
}

export type ConsoleConfig = ReturnType<typeof readConfig>;

/** @throws ConfigError with all faults at once, by name and never with a value */
export function readConfig(env: Env) {
  const { settings, queues } = collectFaults({
    settings: () => readSettings(env),
    queues: () => readQueueSettings(env),
  });
  return {
    host: settings.PAYONCE_HOST,
    port: settings.PAYONCE_PORT,
    privateHost: settings.PAYONCE_PRIVATE_HOST,
    privatePort: settings.PAYONCE_PRIVATE_PORT,
    logLevel: settings.PAYONCE_LOG_LEVEL,
    databaseUrl: settings.DATABASE_URL,
    databaseDurability: settings.PAYONCE_DATABASE_DURABILITY,
    queues,
    user: settings.PAYONCE_CONSOLE_USER,
    password: settings.PAYONCE_CONSOLE_PASSWORD,
    apiKey: settings.PAYONCE_CONSOLE_API_KEY,
    // In production https by default: a leaked session cookie cannot be revoked.
    https: settings.PAYONCE_CONSOLE_HTTPS ?? settings.NODE_ENV === 'production',
    encryptionKeys: settings.PAYONCE_ENCRYPTION_KEY ?? null,
    channelsFile: settings.PAYONCE_CHANNELS_FILE ?? null,
    webhookNetworks: settings.PAYONCE_WEBHOOK_ALLOW_NETWORKS,
    trustedProxies: settings.PAYONCE_TRUSTED_PROXIES,
    identity: identityOf(settings),
  };
}

function identityOf(settings: ReturnType<typeof readSettings>): IdentitySettings | null {
  const header = settings.PAYONCE_CONSOLE_IDENTITY_HEADER;
  if (header === undefined) return null;
  const role = settings.PAYONCE_CONSOLE_IDENTITY_ROLE;
  const said = settings.PAYONCE_CONSOLE_IDENTITY_MERCHANTS_HEADER;
  const merchants = said ? { header: said } : settings.PAYONCE_CONSOLE_IDENTITY_MERCHANTS;
  return { header, role, merchants, proxies: settings.PAYONCE_TRUSTED_PROXIES };
}
