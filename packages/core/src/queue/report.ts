import { z } from 'zod';

/**
 * Upper bounds of the first reply buckets, in milliseconds; the last bucket is for all slower
 * replies.
 */
export const REPLY_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000] as const;
export const REPLY_BUCKETS = REPLY_BOUNDS_MS.length + 1;

/** The bucket of a reply: the first whose bound it does not exceed. */
export function replyBucket(tookMs: number): number {
  const index = REPLY_BOUNDS_MS.findIndex((bound) => tookMs <= bound);
  return index === -1 ? REPLY_BOUNDS_MS.length : index;
}

/** Notifications in one report: half a megabyte of JSON at most. */
export const REPORT_MAX_COPIES = 2_000;
/** Minutes that a gateway keeps while no store takes its reports; older ones are lost. */
export const REPORT_MAX_MINUTES = 60;
/** Far more than a hand-written file has. */
const MAX_CHANNELS = 10_000;

const time = z.iso.datetime();
const count = z.int().min(0).max(2_147_483_647);
const name = z.string().min(1).max(200);

/** One notification, with the number of its acknowledgements since the last report. */
const copies = z.strictObject({
  provider: z.string().min(1).max(40),
  channel: z.string().min(1).max(40),
  notificationId: z.string().min(1).max(128),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  count: count.min(1),
  firstAt: time,
  lastAt: time,
});

/** Sums of one minute, or of a part of it; parts are added up. */
const minute = z.strictObject({
  /** Its beginning. */
  minute: time,
  /**
   * Requests to a configured channel's address, read in full: refused, acknowledged or unavailable.
   */
  received: count,
  /** Verification failed. */
  refused: count,
  acknowledged: count,
  /** Genuine, but no store took it. */
  unavailable: count,
  /** Replies to genuine notifications, by the time from the whole request to the reply. */
  replyBuckets: z.array(count).length(REPLY_BUCKETS),
});

/** The present state of the gateway; stored unchanged in `gateways.state`. */
export const gatewayState = z.strictObject({
  /** As in its readiness response: `ready`, `starting`, `down: …`. */
  stores: z.array(z.strictObject({ name, state: z.string().max(1_000) })).max(10),
  channels: z
    .array(
      z.strictObject({
        channel: name,
        provider: name,
        keys: z.array(
          z.strictObject({
            name: z.string().max(1_000),
            expiresAt: time.nullable(),
            retired: z.boolean(),
          }),
        ),
      }),
    )
    .max(MAX_CHANNELS),
  /** By channel: our clock minus the provider's, by its last verified notification. */
  clockSkewSeconds: z.record(z.string(), z.number()),
});

/**
 * A gateway's report: its counts since the last report, and its state. Only the edge sees copies,
 * since the queue swallows them by job ID. Contains no secret and nothing of a payer.
 */
export const gatewayReport = z.strictObject({
  version: z.literal(1),
  /** A repeated report is counted once. */
  reportId: z.uuid(),
  /** Generated when the process starts. */
  gateway: z.uuid(),
  startedAt: time,
  at: time,
  copies: z.array(copies).max(REPORT_MAX_COPIES),
  minutes: z.array(minute).max(REPORT_MAX_MINUTES),
  state: gatewayState,
});

export type GatewayReport = z.infer<typeof gatewayReport>;
export type GatewayState = z.infer<typeof gatewayState>;
export type ReportedCopies = z.infer<typeof copies>;
export type ReportedMinute = z.infer<typeof minute>;
