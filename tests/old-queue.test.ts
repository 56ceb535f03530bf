import { migrate } from '@payonce/prisma/migrate';
import { eventually } from '@payonce/testkit/machine/poll';
import { query } from '@payonce/testkit/stores/sessions';
import { expect, onTestFinished, test } from 'vitest';
import { addWorker, closeShop, DUE, openShop, queueAddress } from './shop.js';

/** An installation whose queue moves from the database of the orders to a separate one. */
test('workers drain the old queue, and drop it when no gateway uses it any more', async () => {
  const shop = await openShop('postgres', { worker: false, oldQueue: true });
  onTestFinished(() => closeShop(shop));
  const { database, prisma } = shop;
  const pay = async (number: string) => {
    await shop.register(number);
    const paidAt = new Date();
    const payment = { orderNumber: number, trade: `T${number}`, amount: DUE, paidAt };
    const { status } = await shop.post('sim-alipay', shop.signers['sim-alipay'].payment(payment));
    expect(status).toBe(200);
  };
  const untilPaid = (number: string) =>
    eventually(async () => {
      const order = await prisma.order.findFirst({ where: { number } });
      return order?.status === 'paid';
    });
  await pay('O1');

  await migrate({ databaseUrl: database.url, queueDatabaseUrl: queueAddress(shop) });
  await addWorker(shop, 'postgres');
  await untilPaid('O1');
  // The gateway still has the old address.
  await pay('O2');
  await untilPaid('O2');
  const old = `SELECT 1 FROM pg_namespace WHERE nspname = 'payonce_queue'`;
  expect(await query(database.url, old)).toHaveLength(1);

  await query(
    shop.servers.postgresUrl,
    `REVOKE CONNECT ON DATABASE ${database.name} FROM ${shop.role}`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${shop.role}'
       AND datname = '${database.name}'`,
  );
  await eventually(async () => (await query(database.url, old)).length === 0);
  await expect(query(queueAddress(shop, true), 'SELECT 1')).rejects.toThrow(/permission denied/);
}, 60_000);
