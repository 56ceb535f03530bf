import { ConfigError } from '@payonce/core/runtime/errors';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.js';

const complete = {
  DATABASE_URL: 'postgresql://payonce@127.0.0.1/payonce',
  REDIS_URL: 'redis://127.0.0.1:6379',
  PAYONCE_CONSOLE_PASSWORD: 'x'.repeat(12),
  PAYONCE_CONSOLE_API_KEY: 'y'.repeat(32),
};

function faultsOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.join('\n');
    throw error;
  }
  return '';
}

describe('the configuration', () => {
  it('listens on loopback alone, and the user is operator by default', () => {
    expect(readConfig(complete)).toMatchObject({
      host: '127.0.0.1',
      port: 8603,
      privateHost: '127.0.0.1',
      privatePort: 8605,
      user: 'operator',
      https: false,
    });
  });

  it('checks the database for its durability unless the setting says managed', () => {
    expect(readConfig(complete).databaseDurability).toBe('checked');
    const managed = { ...complete, PAYONCE_DATABASE_DURABILITY: 'managed' };
    expect(readConfig(managed).databaseDurability).toBe('managed');
    expect(faultsOf({ ...complete, PAYONCE_DATABASE_DURABILITY: 'off' })).toContain(
      'PAYONCE_DATABASE_DURABILITY',
    );
  });

  it('believes no identity headers unless configured with their names and proxies', () => {
    expect(readConfig(complete).identity).toBeNull();
    const named = { ...complete, PAYONCE_CONSOLE_IDENTITY_HEADER: 'X-Forwarded-User' };
    expect(faultsOf(named)).toContain('PAYONCE_TRUSTED_PROXIES');
    expect(readConfig({ ...named, PAYONCE_TRUSTED_PROXIES: '10.1.0.0/16' }).identity).toEqual({
      header: 'x-forwarded-user',
      role: 'operate',
      proxies: ['10.1.0.0/16'],
    });
  });

  it('limits people whom a proxy names to merchants, for all of them or by a header', () => {
    const named = {
      ...complete,
      PAYONCE_CONSOLE_IDENTITY_HEADER: 'X-Forwarded-User',
      PAYONCE_TRUSTED_PROXIES: '10.1.0.0/16',
    };
    const merchantsWith = (merchants: string) =>
      readConfig({ ...named, PAYONCE_CONSOLE_IDENTITY_MERCHANTS: merchants }).identity?.merchants;
    expect(merchantsWith('shop-a, shop-*')).toEqual(['shop-a', 'shop-*']);
    expect(merchantsWith('*')).toBe('all');
    const header = { PAYONCE_CONSOLE_IDENTITY_MERCHANTS_HEADER: 'X-Forwarded-Groups' };
    expect(readConfig({ ...named, ...header }).identity?.merchants).toEqual({
      header: 'x-forwarded-groups',
    });
    const only = { PAYONCE_CONSOLE_IDENTITY_MERCHANTS: 'shop-a' };
    expect(faultsOf({ ...named, ...header, ...only })).toContain(
      'IDENTITY_MERCHANTS: must not be set together',
    );
    const same = { PAYONCE_CONSOLE_IDENTITY_MERCHANTS_HEADER: 'x-forwarded-user' };
    expect(faultsOf({ ...named, ...same })).toContain('must not be the header of');
    for (const setting of [header, only]) {
      expect(faultsOf({ ...complete, ...setting })).toContain('PAYONCE_CONSOLE_IDENTITY_HEADER');
    }
  });

  it.each(['', ',', 'shop-a,', ' ', 'x'.repeat(65), '*****'])(
    'refuses %j as the merchants of people: a limit that was meant must not become none',
    (merchants) => {
      const faults = faultsOf({
        ...complete,
        PAYONCE_CONSOLE_IDENTITY_HEADER: 'X-Forwarded-User',
        PAYONCE_TRUSTED_PROXIES: '10.1.0.0/16',
        PAYONCE_CONSOLE_IDENTITY_MERCHANTS: merchants,
      });
      expect(faults).toContain('PAYONCE_CONSOLE_IDENTITY_MERCHANTS');
    },
  );

  it('refuses a short password and a short key, by name and without the value', () => {
    const faults = faultsOf({
      ...complete,
      PAYONCE_CONSOLE_PASSWORD: 'elevenchars',
      PAYONCE_CONSOLE_API_KEY: 'thirty-one-characters-are-short',
    });
    expect(faults).toMatch(/PAYONCE_CONSOLE_PASSWORD: .*12/);
    expect(faults).toMatch(/PAYONCE_CONSOLE_API_KEY: .*32/);
    expect(faults).not.toContain('elevenchars');
    expect(faults).not.toContain('thirty-one');
  });

  it('names everything that is missing at once', () => {
    const { PAYONCE_CONSOLE_API_KEY: _, ...needed } = complete;
    const faults = faultsOf({});
    for (const name of Object.keys(needed)) expect(faults).toContain(`${name}: is not set`);
    expect(readConfig(needed).apiKey).toBeUndefined();
  });

  it('requires the address of the queue in use, and of no other', () => {
    const { REDIS_URL: _, ...withoutRedis } = complete;
    const postgres = { ...withoutRedis, PAYONCE_QUEUE: 'postgres' };
    expect(faultsOf(postgres)).toContain('PAYONCE_QUEUE_DATABASE_URL');
    const url = 'postgresql://queue@127.0.0.1/payonce';
    const { queues } = readConfig({ ...postgres, PAYONCE_QUEUE_DATABASE_URL: url });
    expect(queues).toMatchObject([{ kind: 'postgres', url }]);
  });

  it('makes cookies secure in production unless plain http is configured', () => {
    expect(readConfig({ ...complete, NODE_ENV: 'production' }).https).toBe(true);
    const plain = { ...complete, NODE_ENV: 'production', PAYONCE_CONSOLE_HTTPS: 'false' };
    expect(readConfig(plain).https).toBe(false);
  });
});
