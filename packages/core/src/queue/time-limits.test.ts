import { expect, test } from 'vitest';
import {
  POSTGRES_BATCH_LIMIT_MS,
  POSTGRES_CONNECT_TIMEOUT_MS,
  POSTGRES_QUERY_TIMEOUT_MS,
  REDIS_BATCH_LIMIT_MS,
  REDIS_COMMAND_TIMEOUT_MS,
  REDIS_SHARE_MS,
  REPLICA_WAIT_MS,
  REPLY_DEADLINE_MS,
} from './time-limits.js';

/** By one of WeChat Pay's articles; its documents say 5 s, and Alipay states no limit. */
const SHORTEST_PROVIDER_WAIT_MS = 3_000;

function expectIncreasing(...limits: number[]): void {
  expect(limits).toEqual([...new Set(limits)].sort((a, b) => a - b));
}

test('the reply leaves before the provider gives up', () => {
  expectIncreasing(REPLY_DEADLINE_MS, SHORTEST_PROVIDER_WAIT_MS);
});

test('replicas answer within the share of Redis, and most of the deadline is left for PostgreSQL', () => {
  expectIncreasing(REPLICA_WAIT_MS, REDIS_SHARE_MS, REPLY_DEADLINE_MS / 2);
});

test('no store gives up an add that the gateway still waits for, and every flush outlasts its adds', () => {
  expectIncreasing(REPLY_DEADLINE_MS, REDIS_COMMAND_TIMEOUT_MS, REDIS_BATCH_LIMIT_MS);
  expectIncreasing(
    REPLY_DEADLINE_MS,
    POSTGRES_QUERY_TIMEOUT_MS,
    POSTGRES_CONNECT_TIMEOUT_MS + POSTGRES_QUERY_TIMEOUT_MS,
    POSTGRES_BATCH_LIMIT_MS,
  );
});
