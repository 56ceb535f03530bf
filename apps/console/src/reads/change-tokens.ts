import type { Clock } from '@payonce/core/runtime/clock';
import { reportedUnderId } from '@payonce/orders/reports/copy-rows';
import { Prisma, type PrismaClient } from '@payonce/prisma/client';
import { keyOf, type Topic } from './topics.js';
import { sqlMerchant } from './where-merchant.js';

/** By `keyOf`: a text that changes as soon as there is news. */
export type ReadChangeTokens = (topics: readonly Topic[]) => Promise<ReadonlyMap<string, string>>;

/** One statement for all watched topics; each part uses keys and indexes. */
export function createReadChangeTokens(prisma: PrismaClient, clock: Clock): ReadChangeTokens {
  return async (topics) => {
    // The overview changes with the time itself.
    const overview = [['overview', clock().toISOString()]] as const;
    const asked = topics.filter((topic) => topic.name !== 'overview');
    const rows =
      asked.length === 0
        ? []
        : await prisma.$queryRaw<{ key: string; token: string }[]>(
            Prisma.join(asked.map(tokenOf), ' UNION ALL '),
          );
    return new Map([...overview, ...rows.map(({ key, token }) => [key, token] as const)]);
  };
}

function tokenOf(topic: Exclude<Topic, { name: 'overview' }>): Prisma.Sql {
  const key = Prisma.sql`${keyOf(topic)}::text AS key`;
  switch (topic.name) {
    case 'held':
      // Beyond ten thousand the count does not matter.
      return Prisma.sql`(SELECT ${key}, concat_ws('/', count(*), max(id), max(decided_at)) AS token
        FROM (SELECT id, decided_at FROM notification_events WHERE outcome = 'held'
            AND ${sqlMerchant(Prisma.sql`merchant`, topic.merchants)}
          ORDER BY id DESC LIMIT 10000) AS held)`;
    case 'order':
      return Prisma.sql`(SELECT ${key}, concat_ws('/', o.version, decided.token, sent.token,
          (SELECT max(a.id) FROM audit_log a WHERE a.order_id = o.id)) AS token
        FROM orders o
        CROSS JOIN LATERAL (
          SELECT concat_ws('/', count(*), max(e.decided_at), sum(n.copies), sum(n.acknowledged),
            sum(${reportedUnderId})) AS token
          FROM notification_events e JOIN notifications n ON n.id = e.notification_row_id
          WHERE e.merchant = o.merchant AND e.order_number = o.number) AS decided
        CROSS JOIN LATERAL (
          SELECT concat_ws('/', count(*), sum(d.attempts), max(d.delivered_at), max(d.next_attempt_at),
            string_agg(d.state, ',' ORDER BY d.id)) AS token
          FROM deliveries d WHERE d.order_id = o.id) AS sent
        WHERE o.id = ${topic.id})`;
    case 'notification':
      return Prisma.sql`(SELECT ${key}, concat_ws('/', n.status, n.copies, n.acknowledged, ${reportedUnderId},
          (SELECT max(e.decided_at) FROM notification_events e WHERE e.notification_row_id = n.id)) AS token
        FROM notifications n WHERE n.id = ${topic.id})`;
    case 'delivery':
      return Prisma.sql`(SELECT ${key}, concat_ws('/', d.state, d.attempts, d.next_attempt_at,
          (SELECT max(h.id) FROM delivery_attempts h WHERE h.delivery_id = d.id)) AS token
        FROM deliveries d WHERE d.id = ${topic.id})`;
  }
}
