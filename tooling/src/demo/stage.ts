import { randomInt } from 'node:crypto';
import type { Running } from '../supervisor.js';
import { type Held, type Ledger, openLedger } from './ledger.js';

/** The simulated channels' merchant (testkit's `SIMULATED`). */
const MERCHANT = 'demo';
const SETTLE_LIMIT_MS = 15_000;
const REQUEST_LIMIT_MS = 30_000;

export type Channel = 'sim-alipay' | 'sim-wechat' | 'sim-wechat-v2';

/** A message for the simulator; see apps/simulator. Amounts are fen, as text. */
export type Message = Readonly<Record<string, string | boolean>> & { readonly kind: string };

/** The actions of the demonstration: register, send like the provider, and read the rows. */
export interface Stage {
  /** Numbers of this run alone. */
  number(prefix: string): string;
  register(orderNumber: string, amount: bigint): Promise<void>;
  /** @returns how many of the copies the sender counts as acknowledged */
  send(
    channel: Channel,
    message: Message,
    how?: { copies?: number; forge?: 'foreign_key' },
  ): Promise<number>;
  /** Reads until the check passes; after the limit returns the last state. */
  settle(orderNumber: string, asItMustBe: (held: Held) => boolean): Promise<Held>;
  close(): Promise<void>;
}

export function openStage({ apps, stores, secrets }: Running): Stage {
  const ledger = openLedger(stores.databaseUrl, MERCHANT);
  const run = `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}${randomInt(100, 1_000)}`;
  let counter = 0;
  return {
    number: (prefix) => {
      counter += 1;
      return `${prefix}${run}${String(counter).padStart(3, '0')}`;
    },
    register: async (orderNumber, amount) => {
      const body = { merchant: MERCHANT, orderNumber, amount: amount.toString(), currency: 'CNY' };
      await post(`${apps.consoleUrl}/v1/orders`, body, {
        authorization: `Bearer ${secrets.consoleApiKey}`,
      });
    },
    send: async (channel, message, how = {}) => {
      const answer = await post(`${apps.simulatorUrl}/send`, { channel, message, ...how });
      return (answer as { accepted: number }).accepted;
    },
    settle: (orderNumber, asItMustBe) => settle(ledger, orderNumber, asItMustBe),
    close: () => ledger.close(),
  };
}

async function settle(
  ledger: Ledger,
  orderNumber: string,
  asItMustBe: (held: Held) => boolean,
): Promise<Held> {
  const end = Date.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const held = await ledger.read(orderNumber);
    if (asItMustBe(held) || Date.now() > end) return held;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`POST ${url} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
