import {
  type GatewayReport,
  REPLY_BUCKETS,
  REPORT_MAX_COPIES,
  REPORT_MAX_MINUTES,
  replyBucket,
} from '@payonce/core/queue/report';

const MINUTE_MS = 60_000;
/**
 * Notifications that are counted at once: more than a gateway acknowledges in a second. While no
 * store takes the reports, further ones are not counted, so that memory stays within a few
 * megabytes.
 */
const MAX_NOTIFICATIONS = 10_000;

/**
 * The gateway's counts since its last report. Independent of queues and clocks; contains nothing
 * about senders.
 */
export interface ReportCounts {
  /** Verification turned the request down; the report's word for it is `refused`. */
  rejected(at: Date): void;
  unavailable(at: Date, tookMs: number): void;
  acknowledged(at: Date, tookMs: number, what: Acknowledged): void;
  /** Distinct notifications that wait to be reported. */
  readonly notifications: number;
  readonly isEmpty: boolean;
  /** Removes and returns the counts for one report. */
  take(): Pick<GatewayReport, 'copies' | 'minutes'>;
}

interface Acknowledged {
  readonly provider: string;
  readonly channel: string;
  readonly notificationId: string;
  readonly digest: string;
}

interface Copies {
  readonly what: Acknowledged;
  count: number;
  readonly firstAt: Date;
  lastAt: Date;
}

type Sums = {
  -readonly [Field in keyof GatewayReport['minutes'][number]]: GatewayReport['minutes'][number][Field];
};

/** @param onDrop called for an acknowledgement that is not counted, since there are too many */
export function createReportCounts(onDrop: () => void): ReportCounts {
  const copies = new Map<string, Copies>();
  const minutes = new Map<number, Sums>();

  function minuteOf(at: Date): Sums {
    const start = Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS;
    const known = minutes.get(start);
    if (known) return known;
    const fresh = emptyMinute(new Date(start));
    minutes.set(start, fresh);
    const [oldest] = minutes.keys();
    if (minutes.size > REPORT_MAX_MINUTES && oldest !== undefined) minutes.delete(oldest);
    return fresh;
  }

  function reply(minute: Sums, tookMs: number): void {
    const bucket = replyBucket(tookMs);
    minute.replyBuckets[bucket] = (minute.replyBuckets[bucket] ?? 0) + 1;
  }

  return {
    rejected(at) {
      const minute = minuteOf(at);
      minute.received += 1;
      minute.refused += 1;
    },
    unavailable(at, tookMs) {
      const minute = minuteOf(at);
      minute.received += 1;
      minute.unavailable += 1;
      reply(minute, tookMs);
    },
    acknowledged(at, tookMs, what) {
      const minute = minuteOf(at);
      minute.received += 1;
      minute.acknowledged += 1;
      reply(minute, tookMs);
      const key = `${what.channel} ${what.digest} ${what.notificationId}`;
      const known = copies.get(key);
      if (known) {
        known.count += 1;
        if (at > known.lastAt) known.lastAt = at;
      } else if (copies.size < MAX_NOTIFICATIONS) {
        copies.set(key, { what, count: 1, firstAt: at, lastAt: at });
      } else onDrop();
    },
    get notifications() {
      return copies.size;
    },
    get isEmpty() {
      return copies.size === 0 && minutes.size === 0;
    },
    take() {
      const taken = [...copies.keys()].slice(0, REPORT_MAX_COPIES).flatMap((key) => {
        const one = copies.get(key);
        copies.delete(key);
        return one ? [toReport(one)] : [];
      });
      const sums = [...minutes.values()];
      minutes.clear();
      return { copies: taken, minutes: sums };
    },
  };
}

function toReport({ what, count, firstAt, lastAt }: Copies): GatewayReport['copies'][number] {
  const { provider, channel, notificationId, digest } = what;
  return {
    provider,
    channel,
    notificationId,
    digest,
    count,
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
  };
}

function emptyMinute(start: Date): Sums {
  return {
    minute: start.toISOString(),
    received: 0,
    refused: 0,
    acknowledged: 0,
    unavailable: 0,
    replyBuckets: Array.from({ length: REPLY_BUCKETS }, () => 0),
  };
}
