import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { closeShop, openShop, type Shop } from '../shop.js';
import { keepScreenshot, logIn, openBrowser, openLook } from './browser.js';
import { type RunningConsole, startConsole } from './console.js';
import { pay } from './scene.js';

let shop: Shop;
let server: RunningConsole;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  shop = await openShop('redis');
  server = await startConsole(shop);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await closeShop(shop);
});
beforeEach(async () => {
  const look = { locale: 'en-GB', width: 1280, colorScheme: 'light' } as const;
  ({ context, page, complaints } = await openLook(browser, server.url, look));
  await logIn(page, server.password);
});
afterEach(() => context.close());

const changed = () => page.getByText('This page has changed.');
const show = () => page.getByRole('button', { name: 'Show', exact: true });

async function openOrder(number: string): Promise<void> {
  await shop.register(number);
  await page.goto(`/orders/demo/${number}`);
  await page.locator('#state').getByText('Pending').waitFor();
}

test('a list with buttons does not move; a notice offers what is new, and shows it on request', async () => {
  await pay(shop, 'HELD-1');
  await page.goto('/held');
  const row = page.getByRole('row', { name: 'HELD-1' });
  const retry = row.getByRole('button', { name: 'Retry' });
  await retry.focus();
  const place = await retry.boundingBox();
  await pay(shop, 'HELD-2');
  await changed().waitFor();
  expect(await retry.boundingBox()).toEqual(place);
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Retry');
  expect(await page.getByText('HELD-2').count()).toBe(0);
  await keepScreenshot(page, 'live-changed');
  await show().click();
  await page.getByText('HELD-2').waitFor();
  await row.waitFor();
  expect(await changed().isVisible()).toBe(false);
  expect(complaints).toEqual([]);
});

test('a list with a checked box stays as it is, while the rest of the page updates by itself', async () => {
  await openOrder('BOXED');
  const box = page.locator('#order input');
  await page.evaluate(`document.querySelector('#order .card')
    .insertAdjacentHTML('afterbegin', '<input type="checkbox" aria-label="box">')`);
  await box.check();
  await pay(shop, 'BOXED');
  await changed().waitFor();
  await page.locator('#state').getByText('Paid').waitFor();
  expect(await box.isChecked()).toBe(true);
  expect(await page.getByText('Fact: paid').count()).toBe(0);
  await show().click();
  await page.getByText('Fact: paid').waitFor();
  expect(await box.count()).toBe(0);
});

test('a selected text stays selected, and the page updates as soon as the selection ends', async () => {
  await openOrder('SELECTED');
  await page.evaluate(`getSelection().selectAllChildren(document.querySelector('#order dd'))`);
  const selection = await page.evaluate('getSelection().toString()');
  await pay(shop, 'SELECTED');
  await changed().waitFor();
  expect(await page.evaluate('getSelection().toString()')).toBe(selection);
  await page.evaluate('getSelection().removeAllRanges()');
  await page.getByText('Fact: paid').waitFor();
  expect(await changed().isVisible()).toBe(false);
});

test('the scroll position stays when the page updates by itself', async () => {
  await page.setViewportSize({ width: 1280, height: 300 });
  await openOrder('SCROLLED');
  await page.evaluate('scrollTo(0, 120)');
  await pay(shop, 'SCROLLED');
  await page.getByText('Fact: paid').waitFor();
  expect(await page.evaluate('scrollY')).toBe(120);
});

test.each([
  ['en', 'The console does not respond.', 'Your session has ended.'],
  ['zh-CN', '控制台没有响应', '会话已结束'],
])(
  'the page says in %s that the console is away, and that the session ended',
  async (language, away, ended) => {
    await context.addCookies([{ name: 'payonce-language', value: language, url: server.url }]);
    const other = await context.newPage();
    await other.goto('/held');
    await page.goto('/held');
    await context.setOffline(true);
    await page.getByText(away).waitFor();
    await context.setOffline(false);
    await page.getByText(away).waitFor({ state: 'hidden' });
    await other.locator('form[action="/logout"] button').click();
    await page.getByText(ended).waitFor();
  },
);

test('a page asks less and less often while the console is away, and not at all while hidden', async () => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const tokens = () => asked.filter((path) => path === '/held/change-token').length;
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1_000);
  await page.route('**/change-token', (route) => route.abort());
  await page.goto('/held');
  await page.getByText('The console does not respond.').waitFor();
  expect(tokens()).toBe(1);
  await page.clock.runFor(5_900);
  expect(tokens()).toBe(1);
  const second = page.waitForEvent('requestfailed');
  await page.clock.runFor(200);
  await second;
  expect(tokens()).toBe(2);
  await page.evaluate(`window.isAway = true;
    Object.defineProperty(document, 'hidden', { get: () => window.isAway })`);
  await page.clock.runFor(120_000);
  expect(tokens()).toBe(2);
  const third = page.waitForEvent('requestfailed');
  await page.evaluate(`window.isAway = false;
    document.dispatchEvent(new Event('visibilitychange'))`);
  await third;
});
