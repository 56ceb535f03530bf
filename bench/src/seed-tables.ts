import { SIMULATED } from '@payonce/testkit/channels/channels';
import type { Target } from './stores.js';

/** Far beyond the template's sequences. */
const FIRST_ID = 10_000_000;
const STEP = 250_000;

/**
 * Paid orders with all their rows, as if they had arrived over the last year. In SQL: minutes, not
 * days.
 */
export async function seedTables(
  target: Target,
  count: number,
  say: (line: string) => void,
): Promise<void> {
  // The rows are consistent; checking each foreign key would take most of the time.
  await target.query('SET session_replication_role = replica');
  await target.query('SET synchronous_commit = off');
  for (let done = 0; done < count; done += STEP) {
    const to = Math.min(count, done + STEP);
    for (const statement of STATEMENTS)
      await target.query(statement(FIRST_ID + done, FIRST_ID + to));
    say(`${to} of ${count} stored`);
  }
  await target.query('RESET session_replication_role');
  await target.query('RESET synchronous_commit');
  for (const table of ['orders', 'notifications', 'notification_events', 'facts', 'order_events']) {
    await target.query(
      `SELECT setval(pg_get_serial_sequence('${table}', 'id'), ${FIRST_ID + count})`,
    );
  }
  await target.query('VACUUM ANALYZE');
}

const MERCHANT = `'${SIMULATED.merchant}'`;
/** Spread over a year, as BRIN indexes and people expect. */
const AT = `now() - interval '365 days' + (i - ${FIRST_ID}) * interval '15 seconds'`;
const SERIES = (from: number, to: number) => `FROM generate_series(${from}, ${to - 1}) AS i`;

const STATEMENTS: readonly ((from: number, to: number) => string)[] = [
  (
    from,
    to,
  ) => `INSERT INTO orders (id, merchant, number, amount, currency, status, paid_amount, paid_at,
      primary_rail, primary_trade, version, created_at, updated_at)
    SELECT i, ${MERCHANT}, 'old-' || i, 8888, 'CNY', 'paid', 8888, ${AT}, 'alipay', 'old-' || i, 1, ${AT}, ${AT}
    ${SERIES(from, to)}`,
  (
    from,
    to,
  ) => `INSERT INTO notifications (id, provider, channel, merchant, notification_id, digest,
      authenticity, received_at, body, headers, status, created_at)
    SELECT i, 'alipay', 'sim-alipay', ${MERCHANT}, '20251123' || translate(md5(i::text), 'abcdef', '012345'),
      md5(i::text) || md5(i::text), 'signed', ${AT}, convert_to(repeat(md5(i::text), 32), 'UTF8'), '{}',
      'applied', ${AT}
    ${SERIES(from, to)}`,
  (
    from,
    to,
  ) => `INSERT INTO notification_events (id, notification_row_id, position, merchant, order_number,
      event, outcome, created_at, decided_at)
    SELECT i, i, 0, ${MERCHANT}, 'old-' || i,
      json_build_object('kind', 'order', 'rail', 'alipay', 'orderNumber', 'old-' || i, 'trade', 'old-' || i,
        'amount', '8888', 'currency', 'CNY', 'payeeMatches', true, 'signed', true, 'facts',
        json_build_array(json_build_object('kind', 'paid', 'rail', 'alipay', 'trade', 'old-' || i,
          'amount', '8888', 'at', '2026-11-23T08:32:00.000Z'))),
      'applied', ${AT}, ${AT}
    ${SERIES(from, to)}`,
  (from, to) => `INSERT INTO trades (rail, trade, order_id, created_at)
    SELECT 'alipay', 'old-' || i, i, ${AT} ${SERIES(from, to)}`,
  (
    from,
    to,
  ) => `INSERT INTO facts (id, order_id, key, kind, rail, trade, amount, at, notification_row_id, created_at)
    SELECT i, i, 'paid:alipay:old-' || i, 'paid', 'alipay', 'old-' || i, 8888, ${AT}, i, ${AT}
    ${SERIES(from, to)}`,
  (
    from,
    to,
  ) => `INSERT INTO order_events (id, order_id, merchant, type, milestone, version, payload, created_at,
      fanned_out_at)
    SELECT i, i, ${MERCHANT}, 'order.paid', 'paid', 1,
      jsonb_build_object('merchant', ${MERCHANT}, 'number', 'old-' || i, 'amount', '8888', 'currency', 'CNY',
        'version', 1, 'status', 'paid', 'paidAmount', '8888', 'refundedAmount', '0'), ${AT}, ${AT}
    ${SERIES(from, to)}`,
];
