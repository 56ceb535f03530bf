import { expect, test } from 'vitest';
import { failureKind, sqlState } from './failure.js';

/** As Prisma 7.10 with @prisma/adapter-pg wraps PostgreSQL's response. */
const answered = (originalCode: string) =>
  Object.assign(new Error('Raw query failed.'), {
    code: 'P2010',
    meta: { driverAdapterError: { cause: { originalCode, kind: 'postgres' } } },
  });

test.each([
  ['40P01', 'contention'],
  ['40001', 'contention'],
  ['08006', 'unavailable'],
  ['25006', 'unavailable'],
  ['53300', 'unavailable'],
  ['57014', 'unavailable'],
  ['57P01', 'unavailable'],
  ['58030', 'unavailable'],
  ['42P01', 'unavailable'],
  ['22021', 'permanent'],
  ['22003', 'permanent'],
  ['23505', 'permanent'],
  ['23514', 'permanent'],
  ['P0001', 'permanent'],
  ['XX000', 'permanent'],
])('SQLSTATE %s means %s', (state, kind) => {
  expect(sqlState(answered(state))).toBe(state);
  expect(failureKind(answered(state))).toBe(kind);
});

test('a statement that never reached the database is retried', () => {
  const unreachable = { driverAdapterError: { cause: { kind: 'DatabaseNotReachable' } } };
  for (const error of [
    Object.assign(new Error('…'), { code: 'P2010', meta: unreachable }),
    Object.assign(new Error('…'), { code: 'P1001', meta: unreachable }),
    Object.assign(new Error('Transaction API error'), { code: 'P2028', meta: {} }),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    new Error('Connection terminated unexpectedly'),
    new Error('Client has encountered a connection error and is not queryable'),
  ]) {
    expect(failureKind(error), error.message).toBe('unavailable');
  }
});

test('a mistake in the program is not retried without end', () => {
  expect(failureKind(new TypeError('x is not a function'))).toBe('permanent');
  expect(failureKind(Object.assign(new Error('…'), { code: 'P2025' }))).toBe('permanent');
  expect(failureKind('a text')).toBe('permanent');
});
