import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CHROMIUM, findProgram } from '@payonce/tooling/programs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const SCREENSHOTS = join(import.meta.dirname, '..', '..', '.payonce', 'screenshots');

/**
 * Debian's Chromium, without a window, a sandbox (root has none) and its own requests to the
 * internet.
 */
export function openBrowser(): Promise<Browser> {
  const executablePath = findProgram(CHROMIUM, process.env.PATH ?? '');
  if (executablePath === null) throw new Error('no chromium on the PATH: install one');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Look {
  readonly locale: 'en-GB' | 'zh-CN';
  readonly width: 360 | 1280;
  readonly colorScheme: 'light' | 'dark';
}

/** One person's browser with separate cookies. */
export async function openLook(
  browser: Browser,
  baseURL: string,
  { locale, width, colorScheme }: Look,
): Promise<{ context: BrowserContext; page: Page; complaints: string[] }> {
  const viewport = { width, height: 800 };
  const context = await browser.newContext({ baseURL, locale, viewport, colorScheme });
  const page = await context.newPage();
  return { context, page, complaints: complaintsOf(page) };
}

/**
 * The browser's complaints about a page: errors of scripts, refusals of the content security
 * policy.
 */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}

/** Kept for people; git ignores them. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

export async function logIn(page: Page, password: string): Promise<void> {
  await page.goto('/login');
  await page.locator('#user').fill('operator');
  await page.locator('#password').fill(password);
  await page.locator('#password').press('Enter');
  await page.waitForURL('/');
}
