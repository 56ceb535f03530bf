import { holdsWithin } from '@payonce/testkit/machine/poll';
import { seededRandom } from '@payonce/testkit/machine/random';
import { describe, test } from 'vitest';
import { now } from '../src/clock.js';
import { recordBeganLate, recordHeldUp } from '../src/faults/measure.js';
import { RIVAL } from '../src/workload/rival.js';
import { DUE, newPayment, ORDERS, PART, useChecker, type Variant } from './broken.js';
import type { Scene } from './harness.js';

/**
 * The checker can fail, continued: locks, outages, clocks, cuts, merchants. These mostly wait, and
 * run concurrently.
 */

const AT_ONCE_LIMIT_MS = 5_000;
/** As many batches as a worker has in progress; each begins when the one before takes long. */
const BATCHES = 3n;
const BATCH_LIMIT_MS = 1_000;
/** Notifications that waited for a store begin within six seconds. */
const BEGIN_LIMIT_MS = 7_000;
/** A worker without its database takes jobs for three more seconds. */
const DEFERRED_LIMIT_MS = 4_000;
const RETENTION_LIMIT_MS = 10_000;

/**
 * More notifications of a locked order than a worker has batches in flight, then one of another
 * order.
 */
async function orderLocked(scene: Scene): Promise<void> {
  const { composer, deliver, drained, lock, observer, sql } = scene;
  const locked = await newPayment(scene);
  const { number } = locked.order;
  const release = await lock(`SELECT 1 FROM orders WHERE number = '${number}' FOR UPDATE`);
  const from = now();
  for (let total = 1n; total < 8n; total += 1n) {
    await deliver(composer.refund({ ...locked, amount: 1n, total }));
    if (total > BATCHES) continue;
    // A worker that waits for the lock waits with one batch more now.
    await holdsWithin(BATCH_LIMIT_MS, async () => (await sql(WAITING)).length >= total);
  }
  await deliver(composer.payment(await newPayment(scene)));
  const isOther = (one: { readonly orderNumber: string }) => one.orderNumber !== number;
  await holdsWithin(AT_ONCE_LIMIT_MS, () => {
    return !observer.progress.waiting(from, now()).some(isOther);
  });
  recordHeldUp(observer, from, (one) => !isOther(one));
  await release();
  await drained();
}

const WAITING = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
  AND application_name = 'payonce-worker' AND wait_event_type = 'Lock'`;

/** A payment arrives while the worker cannot reach its database; then that is back. */
async function ordersAway(scene: Scene): Promise<void> {
  const { composer, deliver, deferred, ordersLink, observer } = scene;
  const paid = await newPayment(scene);
  ordersLink.inflict({ kind: 'refuse' });
  await deliver(composer.payment(paid));
  // A worker that notices the outage first takes no job, and has none to defer.
  await holdsWithin(DEFERRED_LIMIT_MS, async () => (await deferred()) > 0);
  ordersLink.heal();
  await recordBeganLate(observer, now(), BEGIN_LIMIT_MS);
}

/** The database prefers asynchronous commits, and is killed. */
async function commitsLost(scene: Scene): Promise<void> {
  const { composer, deliver, drained, sql, restartWorker, crashPostgres, until } = scene;
  const paid = await newPayment(scene);
  const [row] = await sql('SELECT current_database() AS name');
  await sql(`ALTER DATABASE ${row?.name} SET synchronous_commit = off`);
  await sql("ALTER SYSTEM SET wal_writer_delay = '10s'");
  await sql('SELECT pg_reload_conf()');
  await restartWorker();
  await deliver(composer.payment(paid));
  await drained();
  // Deliveries under way at that moment are tried again half a minute later.
  await until('the delivery to be recorded', async () => {
    return (await sql("SELECT 1 FROM deliveries WHERE state = 'delivered'")).length > 0;
  });
  await crashPostgres();
  await sql('ALTER SYSTEM RESET wal_writer_delay');
  await sql('SELECT pg_reload_conf()');
}

/**
 * An attacker sends a captured refund notice in other envelopes, before and after WeChat Pay does.
 */
async function rewrapped(scene: Scene): Promise<void> {
  const { composer, deliver, deliverRecut, drained } = scene;
  const paid = { ...(await newPayment(scene)), provider: 'wechatpay-v2' } as const;
  const refund = composer.refund({ ...paid, amount: PART, total: PART });
  const random = seededRandom(1);
  await deliverRecut(refund, random);
  await deliver(refund);
  await deliverRecut(refund, random);
  await deliver(composer.payment(paid));
  await drained();
}

/** A second merchant claims the first one's trade before it is paid. */
async function contested(scene: Scene): Promise<void> {
  const { composer, order, deliver, drained, sql, until } = scene;
  const mine = await newPayment(scene);
  const theirs = await order(DUE, RIVAL.merchant);
  await deliver(composer.payment({ ...mine, provider: 'wechatpay-v2', order: theirs }));
  await drained();
  await deliver(composer.payment(mine));
  await drained();
  await until('each contested trade to be flagged', async () => {
    return (await sql(UNFLAGGED)).length === 0;
  });
}

const UNFLAGGED = 'SELECT 1 FROM trade_claims WHERE told_at IS NULL AND order_id IS NOT NULL';

/** Retention runs, while all data is seconds old. */
async function retained(scene: Scene): Promise<void> {
  const { composer, deliver, drained, sql } = scene;
  await deliver(composer.payment(await newPayment(scene)));
  await drained();
  await holdsWithin(RETENTION_LIMIT_MS, async () => {
    const dropped = await sql('SELECT 1 FROM notifications WHERE purged_at IS NOT NULL');
    return dropped.length > 0;
  });
}

/** The worker ends while the merchant's system has not responded to it; another one goes on. */
async function endedDelivering(scene: Scene): Promise<void> {
  const { composer, consumer, deliver, arrived, crashWorker, sql } = scene;
  consumer.behave({ kind: 'hangs' });
  await deliver(composer.payment(await newPayment(scene)));
  await arrived();
  await crashWorker();
  consumer.behave({ kind: 'takes' });
  // As if the lease of a dead process had run out.
  await sql(`UPDATE deliveries SET lease_until = lease_until - interval '1 hour'
    WHERE lease_until < now() + interval '1 hour'`);
}

/** A refund that is sent again after the queue has forgotten it. */
async function refunded(scene: Scene): Promise<void> {
  const { composer, deliver, drained } = scene;
  const paid = await newPayment(scene);
  await deliver(composer.payment(paid));
  await drained();
  await deliver(composer.refund({ ...paid, amount: PART, total: PART }));
  await drained();
}

const VARIANTS: readonly Variant[] = [
  {
    title: 'waits for a locked order with all that came with it',
    scenario: orderLocked,
    patches: [
      {
        file: `${ORDERS}/orders/order-rows.js`,
        find: 'FOR UPDATE OF o SKIP LOCKED',
        replace: 'FOR UPDATE OF o',
      },
      {
        file: 'prisma/dist/bounded-pool.js',
        find: "SET LOCAL lock_timeout = '2s';",
        replace: '',
      },
      {
        file: `${ORDERS}/database/transaction.js`,
        find: `return \`SET LOCAL lock_timeout = '\${ms}ms';\`;`,
        replace: "return '';",
      },
    ],
    reported: { heldUp: 1, lost: 0 },
  },
  {
    title: 'comes back long after its database did',
    scenario: ordersAway,
    patches: [
      {
        file: 'apps/worker/dist/consume/defer.js',
        find: 'return STORE_FIRST_MS + random * STORE_SPREAD_MS;',
        replace: 'return 60_000;',
      },
      {
        file: `${ORDERS}/database/database-watch.js`,
        find: 'const LOOK_AGAIN_MS = 1_000;',
        replace: 'const LOOK_AGAIN_MS = 60_000;',
      },
    ],
    reported: { beganLate: 1 },
  },
  {
    title: 'knows a refund notice by its envelope',
    scenario: rewrapped,
    patches: [
      {
        file: 'packages/providers/dist/wechatpay-v2/message.js',
        find: 'const content = [...message.refund]',
        replace: 'const content = [...message.refund, ...message.fields]',
      },
    ],
    reported: { lost: 0, rowsPerContent: 2 },
  },
  {
    title: 'claims trades across merchants',
    scenario: contested,
    patches: [
      {
        file: `${ORDERS}/orders/taken-trades.js`,
        find: 'const isOwn = taken.firstMerchant === claim.merchant;',
        replace: 'const isOwn = true;',
      },
    ],
    reported: { lost: 1, foreignTradeBlocked: 1 },
  },
  {
    title: 'drops raw bytes of this minute',
    scenario: retained,
    patches: [
      {
        file: `${ORDERS}/retention/purge.js`,
        find: '- retentionMs',
        replace: '+ retentionMs',
      },
    ],
    reported: { lost: 0, evidenceDropped: 1 },
  },
  {
    title: 'believes a lease that no worker can have written',
    scenario: endedDelivering,
    patches: [
      {
        file: `${ORDERS}/deliveries/claim.js`,
        find: 'const leaseUntil = new Date(now.getTime() + leaseMs);',
        replace: 'const leaseUntil = new Date(now.getTime() + 365 * 24 * 3_600_000);',
      },
      {
        file: `${ORDERS}/deliveries/lease.js`,
        find: `AND \${until} <= \${latest})`,
        replace: `AND \${latest}::timestamptz IS NOT NULL)`,
      },
    ],
    reported: { lost: 0, eventsLost: 1, deliveriesStuck: 1 },
  },
  {
    title: 'tells every milestone again with each notification',
    scenario: refunded,
    patches: [
      {
        file: `${ORDERS}/orders/milestones.js`,
        find: '(before.primary === null || isLost) && after.primary !== null',
        replace: 'after.primary !== null',
      },
      {
        file: `${ORDERS}/orders/order-event-rows.js`,
        find: 'ON CONFLICT (order_id, type, milestone) DO NOTHING',
        replace: '',
      },
    ],
    prepare: 'DROP INDEX order_events_order_id_type_milestone_key',
    reported: { lost: 0, orderEventsTwice: 1 },
  },
  {
    title: 'cannot read its own jobs',
    scenario: refunded,
    patches: [
      {
        file: 'apps/worker/dist/consume/verify-job.js',
        find: 'version: z.literal(3)',
        replace: 'version: z.literal(4)',
      },
    ],
    reported: { lost: 2, deadLetters: 2 },
  },
];

/** It kills what the others need. */
const LAST: Variant = {
  title: 'commits as its role prefers',
  scenario: commitsLost,
  patches: [
    {
      file: `${ORDERS}/database/transaction.js`,
      find: "set_config('synchronous_commit', 'on', true)",
      replace: '1',
    },
  ],
  reported: { acknowledged: 1, applied: 0, lost: 1 },
};

const { isFound, isInnocent } = useChecker();

describe.concurrent('at once', () => {
  describe.each(VARIANTS)('a payonce that $title', (variant) => {
    test('is found out', () => isFound(variant));
  });

  test('the product itself has no finding, while it waits', () =>
    isInnocent([ordersAway, orderLocked]));

  test('the product itself has no finding, whatever it receives', () =>
    isInnocent([endedDelivering, rewrapped, contested, refunded]));
});

describe('by itself', () => {
  test(`a payonce that ${LAST.title} is found out`, () => isFound(LAST));
  test('the product itself loses no commit', () => isInnocent([commitsLost]));
});
