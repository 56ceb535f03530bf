import { createHash } from 'node:crypto';
import { holdsWithin } from '@payonce/testkit/machine/poll';
import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import { openSession } from '@payonce/testkit/stores/sessions';
import type { Client } from 'pg';
import { now } from '../clock.js';
import type { Cluster } from '../cluster/cluster.js';
import type { OrderWorkload } from '../workload/generator.js';
import type { Fault, FaultContext } from './fault.js';
import { isQuiet, recordBeganLate, recordHeldUp } from './measure.js';

/** How long the registration of an order may take. */
const LOCK_LIMIT_MS = 15_000;
/** Longer than any of these faults lasts. */
const WORKLOAD_MS = 30_000;

/** A forgotten session, a manual repair, an index build: another session holds a lock. */
export const lockFaults: readonly Fault[] = [
  lockOf({
    name: 'order-locked',
    does: "another session holds the lock of an order's row while notifications of that order arrive",
    workload: ({ generator }) => generator.steady(WORKLOAD_MS),
    lock: async (session, { merchant, number }) => {
      const text = 'SELECT 1 FROM orders WHERE merchant = $1 AND number = $2 FOR UPDATE';
      return (await session.query(text, [merchant, number])).rowCount === 1;
    },
  }),
  lockOf({
    name: 'number-locked',
    does: 'another session holds the lock of an order number that is not registered yet',
    workload: ({ generator }) => generator.unregistered(WORKLOAD_MS / 10),
    lock: async (session, order) => {
      await session.query('SELECT pg_advisory_xact_lock($1)', [numberLock(order)]);
      return true;
    },
  }),
  {
    name: 'table-locked',
    does: 'another session holds the lock of the whole table of facts; what waited is applied soon after',
    lasts: 'medium',
    besidesMs: 8_000,
    async begin(context) {
      const quiet = await isQuiet(context);
      const session = await begin(context.cluster);
      await session.query('LOCK TABLE facts IN ACCESS EXCLUSIVE MODE');
      return async () => {
        await session.end();
        if (quiet) await recordBeganLate(context, now());
      };
    },
  },
];

interface LockOf extends Pick<Fault, 'name' | 'does'> {
  /** The notifications for the locked order. */
  readonly workload: (context: FaultContext) => OrderWorkload;
  /** @returns false when there is nothing to lock yet */
  readonly lock: (session: Client, order: OrderTerms) => Promise<boolean>;
}

/** Locks one order; the load, which concerns other orders, goes on. */
function lockOf({ workload, lock, ...about }: LockOf): Fault {
  return {
    ...about,
    lasts: 'medium',
    besidesMs: 2_000,
    async begin(context) {
      const quiet = await isQuiet(context);
      const played = workload(context);
      const { number } = played.order;
      const session = await begin(context.cluster);
      context.load.submit(played);
      const locked = await holdsWithin(LOCK_LIMIT_MS, () => lock(session, played.order));
      const from = now();
      if (!locked) context.say(`${number} was never there to be locked`);
      return async () => {
        if (quiet && locked) recordHeldUp(context, from, (one) => one.orderNumber === number);
        await session.end();
      };
    },
  };
}

/** In a transaction, past the proxies; its end releases the locks. */
async function begin({ databaseUrl }: Cluster): Promise<Client> {
  const session = await openSession(databaseUrl, { application_name: 'chaos' });
  await session.query('BEGIN');
  return session;
}

/** Computes payonce's lock of an order number: anyone who may connect can take it. */
function numberLock({ merchant, number }: OrderTerms): string {
  const text = ['payonce order number', merchant, number].join('\0');
  const digest = createHash('sha256').update(text).digest();
  return digest.readBigInt64BE(0).toString();
}
