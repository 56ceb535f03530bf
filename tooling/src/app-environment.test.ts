import { expect, test } from 'vitest';
import { type App, environmentOf, type LocalSetup, PREFERRED_PORTS } from './app-environment.js';

const setup: LocalSetup = {
  state: '/state',
  stores: {
    adminUrl: 'postgresql://127.0.0.1:8610/postgres',
    databaseUrl: 'postgres://app@db/payonce',
    queueDatabaseUrl: 'postgres://queue@db/payonce',
    redisUrl: 'redis://queue',
    queue: 'redis',
    queueIs: 'in Redis',
  },
  secrets: {
    postgresPassword: 'postgres-password',
    databasePassword: 'database-password',
    queuePassword: 'queue-password',
    consolePassword: 'console-password',
    consoleApiKey: 'console-api-key',
    encryptionKey: 'encryption-key',
  },
  env: {
    PATH: '/bin',
    PAYONCE_LOG_LEVEL: 'debug',
    PAYONCE_PORT: '1',
    DATABASE_URL: 'postgres://other',
    AWS_SECRET_ACCESS_KEY: 'aws',
  },
  ports: PREFERRED_PORTS,
  endpoint: { channelsFile: '/state/channels.json', secret: 'whsec_x' },
};
const APPS = ['consumer', 'worker', 'gateway', 'console', 'simulator'] as const;
const valuesOf = (app: App) => Object.values(environmentOf(app, setup));

test('only the worker and the console can reach the database', () => {
  const reach = APPS.filter((app) => environmentOf(app, setup).DATABASE_URL !== undefined);
  expect(reach).toEqual(['worker', 'console']);
  for (const app of reach) expect(environmentOf(app, setup).DATABASE_URL).toContain('app@db');
});

test('the gateway, the simulator and the merchant get none of the secrets of others', () => {
  for (const app of ['gateway', 'simulator', 'consumer'] as const) {
    for (const secret of Object.values(setup.secrets)) expect(valuesOf(app)).not.toContain(secret);
  }
  expect(APPS.filter((app) => valuesOf(app).includes('whsec_x'))).toEqual(['consumer']);
});

test('no app gets the password of the database’s owner', () => {
  for (const app of APPS) expect(valuesOf(app)).not.toContain('postgres-password');
});

test('of the caller’s variables the settings of payonce are passed on, and no foreign secret', () => {
  for (const app of APPS) {
    const env = environmentOf(app, setup);
    expect(env).toMatchObject({ PATH: '/bin', PAYONCE_LOG_LEVEL: 'debug' });
    expect(env).not.toHaveProperty('AWS_SECRET_ACCESS_KEY');
  }
});

test('the ports that were taken win over a variable of the caller', () => {
  expect(environmentOf('gateway', setup).PAYONCE_PORT).toBe(String(PREFERRED_PORTS.gateway));
});

test('without a Redis no app is told of one', () => {
  const stores = { ...setup.stores, redisUrl: null, queue: 'postgres' } as const;
  for (const app of APPS) {
    expect(environmentOf(app, { ...setup, stores })).not.toHaveProperty('REDIS_URL');
  }
});

test('each app listens on this machine alone', () => {
  for (const app of APPS) expect(environmentOf(app, setup).PAYONCE_HOST).toBe('127.0.0.1');
});
