import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addWorker, closeShop, openShop, type Shop } from '../shop.js';
import { keepScreenshot, type Look, logIn, openBrowser, openLook } from './browser.js';
import { type RunningConsole, startConsole } from './console.js';
import { addEndpoint, openReceiver, type Receiver, WEBHOOK_ENV } from './receiver.js';
import { playDay } from './scene.js';

let shop: Shop;
let server: RunningConsole;
let browser: Browser;
let receiver: Receiver;

beforeAll(async () => {
  shop = await openShop('redis', { worker: false });
  await addWorker(shop, 'redis', WEBHOOK_ENV);
  receiver = await openReceiver(shop, 'shop');
  await addEndpoint(shop, 'away', 'http://127.0.0.1:9/nobody');
  await playDay(shop);
  server = await startConsole(shop);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await closeShop(shop);
  await receiver?.close();
});

/** Axe checks once in light and once in dark: its findings do not depend on the language. */
const LOOKS: readonly (Look & { readonly axe: boolean })[] = [
  { locale: 'en-GB', width: 1280, colorScheme: 'light', axe: true },
  { locale: 'zh-CN', width: 360, colorScheme: 'light', axe: false },
  { locale: 'en-GB', width: 360, colorScheme: 'dark', axe: true },
  { locale: 'zh-CN', width: 1280, colorScheme: 'dark', axe: false },
];

async function pagesOf({ prisma }: Shop): Promise<Record<string, string>> {
  const held = await prisma.notificationEvent.findFirstOrThrow({
    where: { holdReason: 'amount_mismatch' },
  });
  const unknown = await prisma.notificationEvent.findFirstOrThrow({
    where: { holdReason: 'unknown_order' },
  });
  const delivery = await prisma.delivery.findFirstOrThrow({ where: { state: 'delivered' } });
  const endpoint = await prisma.webhookEndpoint.findFirstOrThrow();
  const letter = await prisma.deadLetter.findFirstOrThrow();
  return {
    overview: '/',
    held: '/held',
    accept: `/held/${held.notificationRowId}/0/accept`,
    'cannot-accept': `/held/${unknown.notificationRowId}/0/accept`,
    reject: `/held/${held.notificationRowId}/0/reject`,
    orders: '/orders',
    order: '/orders/demo/ORDER-1',
    'release-trade': '/orders/demo/ORDER-1/trades/alipay/TORDER-1/release',
    notifications: '/notifications',
    notification: `/notifications/${held.notificationRowId}`,
    deliveries: '/deliveries',
    delivery: `/deliveries/${delivery.id}`,
    endpoints: '/endpoints',
    'disable-endpoint': `/endpoints/${endpoint.id}/disable`,
    'dead-letters': '/dead-letters',
    'dead-letter': `/dead-letters/${letter.id}`,
    dismiss: `/dead-letters/${letter.id}/dismiss`,
    audit: '/audit',
    'no-match': '/orders?search=nothing',
    'not-found': '/nothing-here',
  };
}

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = (await page.evaluate('axe.run()')) as axe.AxeResults;
  expect(passes.length).toBeGreaterThan(10); // it did look
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

describe.each(LOOKS)('in $locale, $width pixels wide, $colorScheme', (look) => {
  const name = (page: string) => `${page}-${look.locale}-${look.width}-${look.colorScheme}`;

  test('every page is accessible, fits, and causes no complaint of the browser', async () => {
    const { context, page, complaints } = await openLook(browser, server.url, look);
    await page.goto('/login');
    if (look.axe) expect(await faultsOf(page)).toEqual([]);
    await keepScreenshot(page, name('login'));
    await logIn(page, server.password);
    for (const [title, address] of Object.entries(await pagesOf(shop))) {
      await page.goto(address);
      expect(await page.evaluate('document.documentElement.lang')).toBe(
        look.locale === 'zh-CN' ? 'zh-CN' : 'en',
      );
      const tooWide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      await keepScreenshot(page, name(title));
      expect([address, tooWide]).toEqual([address, 0]);
      if (look.axe) expect([address, await faultsOf(page)]).toEqual([address, []]);
    }
    // The browser reports the one address that does not exist.
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
    await context.close();
  });
});
