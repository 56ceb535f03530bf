import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addWorker, closeShop, openShop, type Shop } from '../shop.js';
import { keepScreenshot, logIn, openBrowser, openLook } from './browser.js';
import { type RunningConsole, startConsole } from './console.js';
import { openReceiver, type Receiver, WEBHOOK_ENV } from './receiver.js';
import { pay } from './scene.js';

let shop: Shop;
let server: RunningConsole;
let browser: Browser;
let receiver: Receiver;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  shop = await openShop('redis', { worker: false });
  await addWorker(shop, 'redis', WEBHOOK_ENV);
  receiver = await openReceiver(shop, 'shop');
  server = await startConsole(shop);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await closeShop(shop);
  await receiver?.close();
});
beforeEach(async () => {
  const look = { locale: 'en-GB', width: 1280, colorScheme: 'light' } as const;
  ({ context, page, complaints } = await openLook(browser, server.url, look));
});
afterEach(() => context.close());

const main = (words: string) => page.locator('main').getByText(words).first();

describe('the login', () => {
  test('refuses a wrong password, in the chosen language', async () => {
    await page.goto('/login');
    await page.getByRole('button', { name: '中文' }).click();
    await page.locator('#user').fill('operator');
    await page.locator('#password').fill('not the password');
    await page.locator('#password').press('Enter');
    await main('用户名或密码错误。').waitFor();
    await page.goto('/orders');
    expect(new URL(page.url()).pathname).toBe('/login');
  });

  test('ends on every open page as soon as one logs out', async () => {
    await logIn(page, server.password);
    const other = await context.newPage();
    await other.goto('/held');
    await other.getByRole('button', { name: 'Log out' }).click();
    await other.waitForURL('/login');
    await main('Your session has ended.').waitFor();
    await page.getByRole('link', { name: 'Open the page again' }).click();
    await page.waitForURL('/login');
  });

  test('a form without the token of its session changes nothing', async () => {
    await shop.register('FORGED');
    await pay(shop, 'FORGED', { amount: 1n });
    await logIn(page, server.password);
    await page.goto('/held?order=FORGED');
    await page.getByRole('link', { name: 'Accept…' }).click();
    await page.evaluate('document.querySelector("main [name=formToken]").value = "x"');
    await page.getByLabel('Reason (stored').fill('forged');
    await page.getByRole('button', { name: 'Accept' }).click();
    await main('That did not work (403)').waitFor();
    const order = await shop.prisma.order.findFirstOrThrow({ where: { number: 'FORGED' } });
    expect(order.status).toBe('pending');
  });
});

test('an operator watches an order become paid, and its signed webhook arrive, without touching the page', async () => {
  await shop.register('LIVE');
  await logIn(page, server.password);
  await page.goto('/orders');
  await page.getByRole('link', { name: 'LIVE', exact: true }).click();
  await main('Pending').waitFor();
  await page.evaluate('window.untouched = true');
  await pay(shop, 'LIVE', { copies: 9 });
  await main('Paid').waitFor();
  await main('Fact: paid').waitFor();
  await main('9 copies received, 1 applied').waitFor();
  await main('Delivery to shop').waitFor();
  await main('responded 204').waitFor();
  // Once, however many copies arrived; a held notification has an event, too.
  expect(receiver.received.filter((type) => type === 'order.paid')).toHaveLength(1);
  expect(await page.evaluate('window.untouched')).toBe(true);
  await keepScreenshot(page, 'journey-paid');
  expect(complaints).toEqual([]);
});

test('an operator accepts a held payment: sees the effects, gives a reason, and is recorded in the audit log', async () => {
  await shop.register('WRONG');
  await pay(shop, 'WRONG', { amount: 1n });
  await logIn(page, server.password);
  await page.goto('/held?order=WRONG');
  await page.getByRole('link', { name: 'Accept…' }).click();
  await main('¥0.01 (1 fen)').waitFor();
  await main('That is ¥88.87 less than the amount due.').waitFor();
  await page.getByLabel('Reason (stored').fill('seen on the statement');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.waitForURL('/orders/demo/WRONG');
  await main('Accepted.').waitFor();
  await main('“seen on the statement”').waitFor();
  const order = await shop.prisma.order.findFirstOrThrow({ where: { number: 'WRONG' } });
  expect([order.status, order.paidAmount]).toEqual(['paid', 1n]);
  await page.goto('/audit');
  await page.getByRole('row', { name: /operator\s+Accepted\s+WRONG/ }).waitFor();
  await keepScreenshot(page, 'journey-audit');
  expect(complaints).toEqual([]);
});

test('an operator rejects a held event, and it is permanently ignored', async () => {
  await pay(shop, 'NOBODYS');
  await logIn(page, server.password);
  await page.goto('/held?order=NOBODYS');
  await page.getByRole('link', { name: 'Reject…' }).click();
  await page.getByLabel('Reason (stored').fill('not ours');
  await page.getByRole('button', { name: 'Reject' }).click();
  await main('Rejected: the event is ignored, but kept.').waitFor();
  const event = await shop.prisma.notificationEvent.findFirstOrThrow({
    where: { orderNumber: 'NOBODYS' },
  });
  expect(event.outcome).toBe('ignored');
});
