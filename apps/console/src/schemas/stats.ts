import { gatewayState } from '@payonce/core/queue/report';
import { z } from 'zod';
import { time } from './fields.js';

/**
 * How many wait. Counting stops at 10,000: then `capped` is true, and the oldest is the oldest of
 * those.
 */
const waiting = z.object({
  count: z.number().int(),
  capped: z.boolean(),
  oldestAt: time.nullable(),
});
export type Waiting = z.infer<typeof waiting>;

/** Milliseconds; null without any measurement. */
const percentiles = z.object({ p50: z.number().nullable(), p99: z.number().nullable() });
export type Percentiles = z.infer<typeof percentiles>;

const minute = z.object({
  minute: time,
  /** From gateways' reports: they may be late, or missing if the gateway died. */
  received: z.number().int(),
  refused: z.number().int(),
  acknowledged: z.number().int(),
  /** Genuine, but no store took it. */
  unavailable: z.number().int(),
  /** Events by outcome; `held`: they arrived in this minute, and are still held. */
  applied: z.number().int(),
  duplicate: z.number().int(),
  held: z.number().int(),
  ignored: z.number().int(),
});
export type Minute = z.infer<typeof minute>;

const queueState = z.object({
  /** `redis` (further shards: `redis-1`, …) or `postgres`. */
  store: z.string(),
  /** The standby takes what the preferred store does not. */
  role: z.enum(['preferred', 'standby']),
  /** The console's view. */
  state: z.enum(['ready', 'connecting', 'down']),
  jobs: z
    .object({
      waiting: z.number().int(),
      active: z.number().int(),
      /** Failed before, and will be retried later. */
      delayed: z.number().int(),
      oldestWaitingAt: time.nullable(),
    })
    .nullable(),
});
export type QueueState = z.infer<typeof queueState>;

const gateway = z.object({
  id: z.string(),
  startedAt: time,
  seenAt: time,
  /** Null if this release does not know its format. */
  state: gatewayState.nullable(),
});

const rewind = z.object({
  foundAt: time,
  reason: z.string(),
  /** Null while workers still put completed jobs back into the queue. */
  replayedJobs: z.number().int().nullable(),
});

export const figures = z.object({
  /** The last time that the database went back to an earlier state; null without one for a week. */
  rewind: rewind.nullable(),
  /** The last hour, the oldest first, the present minute last. */
  minutes: z.array(minute),
  held: z.array(waiting.extend({ reason: z.string() })),
  deadLetters: waiting,
  /** Order events without deliveries yet. */
  orderEvents: waiting,
  deliveries: z.object({ pending: waiting, parked: waiting }),
  endpoints: z.object({
    enabled: z.number().int(),
    disabled: z.number().int(),
    /** Enabled, and paused after failures. */
    circuitOpen: z.number().int(),
  }),
  /** From receipt at the gateway to the worker's transaction, in the last five minutes. */
  applyMs: percentiles,
  /** From the complete request to the reply, in the last five minutes: an upper bound. */
  replyMs: percentiles,
  /** Gateways that reported within the last ten minutes. */
  gateways: z.array(gateway),
});
export type Figures = z.infer<typeof figures>;

export const statsView = z.object({
  at: time,
  database: z.enum(['ready', 'down']),
  queues: z.array(queueState),
  /** Null while the database is down. */
  figures: figures.nullable(),
});
export type Stats = z.infer<typeof statsView>;
