import { z } from 'zod';
import { auditView } from './audit.js';
import { factView } from './fact.js';
import { money, time } from './fields.js';

/** The notification of an entry, by its ID in this API. */
const notification = z.string();

/**
 * The history of an order or a notification, one entry per event. Every entry has its time; the
 * stores and processes that wrote them have different clocks.
 */
export const timelineEntry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('registered'), at: time, amount: money, currency: z.string() }),
  z.object({
    kind: z.literal('copies'),
    at: time,
    notification,
    /**
     * `first`: the stored copy. `gateway`: further copies that a gateway acknowledged. `worker`:
     * further copies that reached a worker.
     */
    source: z.enum(['first', 'gateway', 'worker']),
    count: z.number().int(),
    firstAt: time.nullable(),
    lastAt: time,
    gateway: z.string().nullable(),
    /** A killed gateway had copies that it did not report. */
    bestEffort: z.boolean(),
  }),
  z.object({
    kind: z.literal('reply'),
    at: time,
    notification,
    status: z.number().int(),
    contentType: z.string().nullable(),
    /** The exact bytes, all ASCII; every acknowledged copy gets the same. */
    body: z.string(),
    /** False: no gateway has reported the reply; it follows from the stored notification. */
    reported: z.boolean(),
  }),
  z.object({
    kind: z.literal('decision'),
    at: time,
    notification,
    position: z.number().int(),
    outcome: z.string(),
    /** Null for a hold without a recorded reason. */
    holdReason: z.string().nullable(),
    /** How often the schedule had looked at it by then. */
    tries: z.number().int(),
  }),
  z.object({ kind: z.literal('fact'), at: time, fact: factView }),
  z.object({
    kind: z.literal('order_event'),
    at: time,
    id: z.string(),
    type: z.string(),
    milestone: z.string(),
    version: z.number().int().nullable(),
  }),
  z.object({
    kind: z.literal('delivery'),
    at: time,
    /** The delivery's ID; its attempts follow each other. */
    id: z.string(),
    orderEvent: z.string(),
    type: z.string(),
    endpoint: z.string(),
    /** Null if nothing was sent yet. `status` is null when there was no answer. */
    attempt: z
      .object({
        durationMs: z.number().int(),
        status: z.number().int().nullable(),
        error: z.string().nullable(),
      })
      .nullable(),
    /** The state of the delivery afterwards. */
    state: z.enum(['pending', 'delivered', 'parked']),
    parkedReason: z.string().nullable(),
    nextAttemptAt: time.nullable(),
  }),
  z.object({ kind: z.literal('operator'), at: time, audit: auditView }),
]);
export type TimelineEntry = z.infer<typeof timelineEntry>;

/** "9 copies received, 1 applied." */
const notificationLine = z.object({
  id: z.string(),
  provider: z.string(),
  channel: z.string(),
  notificationId: z.string(),
  /** A lower bound; best effort, from gateways' reports. */
  received: z.number().int(),
  /** Copies that changed an order: one at most, whatever was sent. */
  applied: z.number().int(),
  status: z.string(),
});

export const TIMELINE_LISTS = [
  'notifications',
  'copies',
  'facts',
  'orderEvents',
  'deliveries',
  'attempts',
  'audit',
] as const;

export const timelineView = z.object({
  entries: z.array(timelineEntry),
  notifications: z.array(notificationLine),
  /** The lists that are longer than shown: the oldest entries are shown. */
  truncated: z.array(z.enum(TIMELINE_LISTS)),
});
export type Timeline = z.infer<typeof timelineView>;
