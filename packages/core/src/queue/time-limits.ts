/**
 * The time limits of one notification, in milliseconds. `openGatewayQueue` says how they nest.
 */

/**
 * From the last byte of the request to the reply. WeChat Pay waits 5 s (3 s by one of its
 * articles); Alipay states no limit. The remaining time covers the network.
 */
export const REPLY_DEADLINE_MS = 2_000;

/** Redis's part of the deadline. A healthy Redis responds in a millisecond. */
export const REDIS_SHARE_MS = 700;

/** Part of Redis's share. A live replica responds within a millisecond. */
export const REPLICA_WAIT_MS = 500;

// The others do not delay a reply. They free what an abandoned add holds.

/** Frees an abandoned command. */
export const REDIS_COMMAND_TIMEOUT_MS = 2_500;

/** Frees the batch of an abandoned command. */
export const REDIS_BATCH_LIMIT_MS = 3_000;

/** For a connection, new or from the pool. */
export const POSTGRES_CONNECT_TIMEOUT_MS = 1_500;

/** Frees the connection of an abandoned query. */
export const POSTGRES_QUERY_TIMEOUT_MS = 2_500;

/** Frees the batch of an abandoned query, which may have waited for a connection. */
export const POSTGRES_BATCH_LIMIT_MS = 4_500;
