import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { call, logIn, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

/** Requests a page, blocks its read of the timeline, and makes the change meanwhile. */
async function pageDuring(url: string, change: () => Promise<unknown>): Promise<string> {
  const { app, prisma } = server;
  const cookies = await logIn(server);
  const page = await prisma.$transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE`;
    const answer = app.inject({ url, cookies });
    await vi.waitUntil(async () => {
      const [row] = await prisma.$queryRaw<{ waiting: bigint }[]>`
        SELECT count(*) AS waiting FROM pg_locks
        WHERE relation = 'audit_log'::regclass AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      return row?.waiting === 1n;
    });
    await change();
    return { answer };
  });
  return (await page.answer).body;
}

describe('a page and its timeline show one moment, whatever changes while they are read:', () => {
  it('an order', async () => {
    await call(server, 'POST', '/orders', { payload: { orderNumber: 'S-1', amount: '8888' } });
    const page = await pageDuring(
      '/orders/default/S-1',
      () => server.prisma.$executeRaw`UPDATE orders SET status = 'closed' WHERE number = 'S-1'`,
    );
    expect(page).toContain('Pending');
    expect(page).not.toContain('Closed');
  });

  it('a notification', async () => {
    const [id = 0n] = await receive(server, notificationOf([paid('S-2')]));
    const page = await pageDuring(
      `/notifications/${id}`,
      () => server.prisma.$executeRaw`UPDATE notifications SET status = 'ignored' WHERE id = ${id}`,
    );
    expect(page).toContain('Held');
    expect(page).not.toContain('Ignored');
  });
});
