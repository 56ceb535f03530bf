import { describe, expect, test } from 'vitest';
import { DUE, newPayment, ORDERS, PART, useChecker, type Variant } from './broken.js';
import type { Scene } from './harness.js';

/**
 * The checker can fail. Each variant breaks one promise in a copy of the compiled product. The
 * checker must distinguish it from the product itself, which plays the same scenario.
 */

/** Redis goes down while a payment arrives; the provider sends again until it is acknowledged. */
async function redisRefuses(scene: Scene): Promise<void> {
  const { composer, link, deliver, drained } = scene;
  const payment = await newPayment(scene, 'alipay');
  link.inflict({ kind: 'refuse' });
  await deliver(composer.payment(payment), () => link.heal());
  await drained();
}

/** A payment and a refund are sent again after the queue has forgotten their jobs. */
async function sentAgain(scene: Scene): Promise<void> {
  const { composer, deliver, drained, forgetJobs } = scene;
  const payment = await newPayment(scene);
  const messages = [
    composer.payment(payment),
    composer.refund({ ...payment, amount: PART, total: PART }),
  ];
  for (const time of ['first', 'again']) {
    for (const message of messages) await deliver(message);
    await drained();
    if (time === 'first') await forgetJobs();
  }
}

/** The refund whose fact takes long to write. */
const SLOW = 3_001n;
/** The second refund goes through gateway and queue meanwhile, also on a busy machine. */
const SLOW_MS = 2_000;
/** Ends early when another transaction waits for this one: it would give up within a second. */
const SLOW_FACT = `
  CREATE FUNCTION slow_fact() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN
      FOR step IN 1..${SLOW_MS / 50} LOOP
        PERFORM pg_sleep(0.05);
        EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted
          AND pg_backend_pid() = ANY (pg_blocking_pids(pid)));
      END LOOP;
      RETURN NEW;
    END $$;
  CREATE TRIGGER slow_fact BEFORE INSERT ON facts FOR EACH ROW
    WHEN (NEW.refund_id IS NOT NULL AND NEW.amount = ${SLOW}) EXECUTE FUNCTION slow_fact();`;

/**
 * Two concurrent refunds of one order: the second begins while the first has not yet written its
 * fact.
 */
async function hotOrder(scene: Scene): Promise<void> {
  const { composer, deliver, drained, sql, until } = scene;
  const payment = await newPayment(scene);
  await deliver(composer.payment(payment));
  await drained();
  await deliver(composer.refund({ ...payment, amount: SLOW, total: SLOW }));
  await until('the first refund to be written', async () => {
    const sleeping = await sql(`SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'PgSleep'`);
    return sleeping.length > 0;
  });
  await deliver(composer.refund({ ...payment, amount: DUE - SLOW, total: DUE }));
  await drained();
}

/** A worker without a channel; then one with it, and a request to retry the dead letter. */
async function deadLetter(scene: Scene): Promise<void> {
  const { composer, deliver, drained, sql, restartWorker } = scene;
  await restartWorker('sim-alipay');
  const payment = await newPayment(scene, 'alipay');
  await deliver(composer.payment(payment));
  await drained();
  // Not before: the worker without the channel would try it, and record another failure.
  await restartWorker();
  await sql('UPDATE dead_letters SET redrive_requested_at = now()');
  await scene.until('no dead letter to be asked for', async () => {
    const open = await sql('SELECT 1 FROM dead_letters WHERE redrive_requested_at IS NOT NULL');
    return open.length === 0;
  });
}

/** The merchant's system refuses the first event; then there are more. */
async function refusedOnce(scene: Scene): Promise<void> {
  const { composer, consumer, deliver, drained, arrived } = scene;
  consumer.behave({ kind: 'fails', status: () => 500 });
  const payment = await newPayment(scene, 'alipay');
  await deliver(composer.payment(payment));
  await arrived();
  consumer.behave({ kind: 'takes' });
  await deliver(composer.refund({ ...payment, amount: PART, total: PART }));
  await drained();
}

const VARIANTS: readonly (Variant & { readonly unsigned?: true })[] = [
  {
    title: 'acknowledges before it enqueues',
    scenario: redisRefuses,
    patches: [
      {
        file: 'apps/gateway/dist/routes/receive.js',
        find: 'await deps.queue.enqueue(job, shardKey, REPLY_DEADLINE_MS - tookMs());',
        replace: `'redis';
          deps.queue.enqueue(job, shardKey, REPLY_DEADLINE_MS - tookMs()).catch(() => {});`,
      },
    ],
    reported: { acknowledged: 1, applied: 0, lost: 1, falselyAcknowledged: 1 },
  },
  {
    // Three guards stand behind the job ID: the notification's name, its uniqueness, and the fact's
    // key.
    title: 'has no guard but the job ID',
    scenario: sentAgain,
    patches: [
      {
        file: `${ORDERS}/notifications/records/notification-rows.js`,
        find: 'ON CONFLICT (channel, notification_id, variant) DO NOTHING',
        replace: '',
      },
      {
        file: `${ORDERS}/notifications/records/notification-locks.js`,
        find: 'ORDER BY k.position FOR UPDATE OF n ',
        replace: 'ORDER BY k.position, n.id FOR UPDATE OF n ',
      },
      {
        file: 'packages/providers/dist/fact.js',
        find: `refund:\${fact.rail}:`,
        replace: `refund:\${Math.random()}:\${fact.rail}:`,
      },
    ],
    prepare: 'DROP INDEX notifications_channel_notification_id_variant_key',
    reported: { lost: 0, doubled: 1, falselyAcknowledged: 0 },
  },
  {
    title: 'does not lock the order',
    scenario: hotOrder,
    patches: [
      {
        file: `${ORDERS}/orders/order-rows.js`,
        find: 'ORDER BY o.id FOR UPDATE OF o SKIP LOCKED',
        replace: 'ORDER BY o.id',
      },
    ],
    prepare: SLOW_FACT,
    reported: { doubled: 1, falselyAcknowledged: 0 },
  },
  {
    title: 'reads the facts before it has the lock',
    scenario: hotOrder,
    patches: [
      {
        file: `${ORDERS}/orders/lock-orders.js`,
        find: "import { orderKey } from './order.js';",
        replace:
          "import { orderKey } from './order.js'; import { readEarly } from './claim-trades.js';",
      },
      {
        file: `${ORDERS}/orders/lock-orders.js`,
        find: 'export async function tryLockOrders(tx, keys) {',
        replace: 'export async function tryLockOrders(tx, keys) { await readEarly(tx, keys);',
      },
      {
        file: `${ORDERS}/orders/claim-trades.js`,
        find: 'export async function claimTrades(',
        replace: `import { findOrders } from './order-rows.js';
          const early = new WeakMap();
          export async function readEarly(tx, keys) {
            const orders = await findOrders(tx, keys);
            early.set(tx, await readFacts(tx, [...orders.values()].map((order) => order.id)));
            await new Promise((resolve) => setTimeout(resolve, ${SLOW_MS + 300}));
          }
          export async function claimTrades(tx, ...rest) {
            const claimed = await claimNow(tx, ...rest);
            return { ...claimed, facts: early.get(tx) ?? claimed.facts };
          }
          async function claimNow(`,
      },
    ],
    prepare: SLOW_FACT,
    reported: { doubled: 1, falselyAcknowledged: 0 },
  },
  {
    title: 'drops dead letters',
    scenario: deadLetter,
    patches: [
      {
        file: 'apps/worker/dist/consume/process-job.js',
        find: "await deps.deadLetter({ jobId: boundedJobId(job.id ?? ''), job: job.data, ...failure });",
        replace: '',
      },
    ],
    reported: { acknowledged: 1, applied: 0, lost: 1, falselyAcknowledged: 0 },
  },
  {
    title: 'marks an order event as delivered before it is sent',
    scenario: refusedOnce,
    patches: [
      {
        file: `${ORDERS}/deliveries/send.js`,
        find: 'return client.post(url, signedHeaders({ id, body }, now, secrets), body, now);',
        replace: `client.post(url, signedHeaders({ id, body }, now, secrets), body, now);
          return { delivered: true, status: 204, error: null, response: null, retryAfterMs: null };`,
      },
    ],
    reported: { lost: 0, eventsExpected: 2, eventsDelivered: 1, eventsLost: 1, eventsUnsigned: 0 },
  },
  {
    title: 'does not keep the sequence of an order',
    scenario: refusedOnce,
    patches: [
      {
        file: `${ORDERS}/deliveries/claim.js`,
        find: `AND (b.state = 'pending' OR \${isLeased(now, 'b')}))`,
        replace: 'AND false)',
      },
    ],
    reported: { eventsExpected: 2, eventsLost: 0, eventsOutOfOrder: 1 },
  },
  {
    title: 'sends order events unsigned',
    scenario: refusedOnce,
    patches: [
      {
        file: `${ORDERS}/deliveries/sign.js`,
        find: "signatures.join(' ')",
        replace: "''",
      },
    ],
    reported: { eventsDelivered: 0, eventsLost: 2 },
    unsigned: true,
  },
];

const { isFound, isInnocent } = useChecker();

describe.each(VARIANTS)('a payonce that $title', (variant) => {
  test('is found out', async () => {
    const { eventsUnsigned } = await isFound(variant);
    // Their number depends on the available time.
    expect(eventsUnsigned > 0).toBe(variant.unsigned ?? false);
  });
});

test('the product itself has no finding, through the same scenarios', async () => {
  // The first one waits for the first arrival.
  const scenarios = [refusedOnce, redisRefuses, sentAgain, hotOrder, deadLetter];
  const { sent, eventsExpected, eventsDelivered } = await isInnocent(scenarios, SLOW_FACT);
  expect(eventsDelivered).toBe(eventsExpected);
  expect([sent, eventsExpected]).toEqual([9, 9]);
});
