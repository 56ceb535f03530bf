import { type Env, logEnv, port, readEnv } from '@payonce/core/config/env';
import { z } from 'zod';

const shape = {
  ...logEnv,
  // It signs anything on request: only this machine may ask.
  PAYONCE_HOST: z
    .enum(['127.0.0.1', '::1', 'localhost'], 'the simulator listens on loopback alone')
    .default('127.0.0.1'),
  PAYONCE_PORT: port(8604),
  PAYONCE_GATEWAY_URL: z
    .string()
    .refine(isPlainHttpUrl, 'must be an http or https address without path, query or credentials'),
  PAYONCE_SIMULATOR_DIR: z.string(),
  PAYONCE_TIME_COMPRESSION: z
    .string()
    .regex(/^\d{1,7}$/, 'must be a whole number from 1 to 9999999')
    .transform(Number)
    .refine((value) => value >= 1, 'must be a whole number from 1 to 9999999')
    .default(1),
  NODE_ENV: z
    .string()
    .refine((value) => value !== 'production', 'the simulator does not run in production')
    .optional(),
};

function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && pathname === '/' && !(search + hash + username + password);
}

export type SimulatorConfig = ReturnType<typeof readConfig>;

/** @throws ConfigError with all faults at once, by name and never with a value */
export function readConfig(env: Env) {
  const settings = readEnv(shape, env);
  return {
    host: settings.PAYONCE_HOST,
    port: settings.PAYONCE_PORT,
    gatewayUrl: new URL(settings.PAYONCE_GATEWAY_URL).origin,
    directory: settings.PAYONCE_SIMULATOR_DIR,
    /** Divides the waits of the retry schedule; 3600 turns an hour into a second. */
    timeCompression: settings.PAYONCE_TIME_COMPRESSION,
  };
}
