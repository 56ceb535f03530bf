import { expect, test } from 'vitest';
import { ConfigError } from '../runtime/errors.js';
import {
  collectFaults,
  count,
  list,
  maskedSummary,
  maskUrl,
  port,
  readEnv,
  storeUrl,
} from './env.js';

function faultsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  throw new Error('nothing was at fault');
}

const shape = {
  PORT: port(8600),
  SIZE: count(10, 1, 100),
  STORE_URL: storeUrl('redis:', 'rediss:'),
  PROXIES: list(),
};

test('a variable that is not set, or empty, has its default', () => {
  expect(readEnv(shape, { STORE_URL: 'redis://h', PORT: '', SIZE: undefined })).toEqual({
    PORT: 8600,
    SIZE: 10,
    STORE_URL: 'redis://h',
    PROXIES: [],
  });
});

test('a variable that is set is read', () => {
  const env = { STORE_URL: 'rediss://h', PORT: '0', SIZE: '100', PROXIES: '10.0.0.1, ::1,' };
  expect(readEnv(shape, env)).toEqual({
    PORT: 0,
    SIZE: 100,
    STORE_URL: 'rediss://h',
    PROXIES: ['10.0.0.1', '::1'],
  });
});

test('all faults are reported at once, by name, and never with the value', () => {
  const env = { PORT: '65536-s3cret', SIZE: '101', STORE_URL: 'http://:s3cret@h' };
  const faults = faultsOf(() => readEnv(shape, env));
  expect(faults.map((fault) => fault.split(':')[0])).toEqual(['PORT', 'SIZE', 'STORE_URL']);
  expect(faults.join()).not.toMatch(/s3cret|65536|101/);
});

test('a missing variable is reported as missing', () => {
  expect(faultsOf(() => readEnv(shape, {}))).toEqual(['STORE_URL: is not set']);
});

test.each(['-1', '1.5', '1e3', '65536', 'abc', ' 80'])('%j is no port', (PORT) => {
  expect(faultsOf(() => readEnv({ PORT: port(1) }, { PORT }))).toHaveLength(1);
});

test('the faults of several readers come together', () => {
  const faults = faultsOf(() =>
    collectFaults({
      one: () => readEnv({ A: storeUrl('redis:') }, {}),
      two: () => 2,
      three: () => readEnv({ B: storeUrl('redis:') }, {}),
    }),
  );
  expect(faults).toEqual(['A: is not set', 'B: is not set']);
});

test('an error that is no fault of the configuration does not count as one', () => {
  const run = () =>
    collectFaults({
      broken: () => {
        throw new RangeError('a bug');
      },
    });
  expect(run).toThrow(RangeError);
});

test('a summary shows addresses without credentials and without their query', () => {
  expect(maskUrl('postgres://u:s3cret@h:5432/db?password=s3cret')).toBe('postgres://***@h:5432/db');
  expect(maskedSummary({ url: 'redis://:s3cret@h/0', size: 3, plain: 'a b' })).toEqual({
    url: 'redis://***@h/0',
    size: 3,
    plain: 'a b',
  });
  const nested = { password: 's3cret', nodes: ['redis://:s3cret@h'], sentinelPassword: undefined };
  expect(maskedSummary({ nested })).toEqual({
    nested: { password: '***', nodes: ['redis://***@h'], sentinelPassword: undefined },
  });
});
