import { randomInt } from 'node:crypto';
import { lastWithin } from '@payonce/testkit/machine/poll';
import {
  expectedOrders,
  expectedOutcome,
  type NotificationContent,
  type OrderTerms,
} from '@payonce/testkit/oracle/oracle';
import { expectedEvents } from '@payonce/testkit/oracle/order-events';
import type { SignerId } from '@payonce/testkit/signers/request';
import type { Running } from '../supervisor.js';
import { type Database, openDatabase, type StoredOrder } from './database.js';

/** The simulated channels' merchant (testkit's `SIMULATED`). */
const MERCHANT = 'demo';
const DUE = 8_888n;
const STORED_LIMIT_MS = 15_000;
const REQUEST_LIMIT_MS = 30_000;

/** A provider in the demonstration. */
export interface Actor {
  readonly title: string;
  readonly provider: SignerId;
  readonly channel: 'sim-alipay' | 'sim-wechat' | 'sim-wechat-v2';
  readonly prefix: string;
}

/** Copies of one notification. */
export interface Sent {
  readonly copies: number;
  /** How many of them the provider counts as acknowledged. */
  readonly acknowledged: number;
  readonly forged: boolean;
}

/** One order, and the notifications that a provider sends for it. */
export interface PlayedOrder {
  readonly number: string;
  readonly due: bigint;
  register(): Promise<void>;
  pay(how?: { amount?: bigint; copies?: number; forge?: 'foreign_key' }): Promise<Sent>;
  refund(amount: bigint): Promise<Sent>;
  /** Waits until the rows are as the oracle expects; after the limit returns the last state. */
  stored(): Promise<StoredOrder>;
  /** The results of `stored`. */
  readonly states: readonly StoredOrder[];
  /** Whether each `stored` found the rows as the oracle expected. */
  readonly wasAlwaysExpected: boolean;
  /** Each milestone of the order, in sequence, and each notification that was held. */
  expectedEvents(): string[];
}

export interface Stage {
  /** With a number of this run alone. */
  order(actor: Actor): PlayedOrder;
  close(): Promise<void>;
}

export function openStage({ apps, stores, secrets }: Running): Stage {
  const database = openDatabase(stores.databaseUrl, MERCHANT);
  const run = `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}${randomInt(100, 1_000)}`;
  let counter = 0;
  const register = async ({ merchant, number, amount }: OrderTerms) => {
    const body = { merchant, orderNumber: number, amount: amount.toString(), currency: 'CNY' };
    const authorization = `Bearer ${secrets.consoleApiKey}`;
    await post(`${apps.consoleUrl}/v1/orders`, body, { authorization });
  };
  const send = async (body: object) =>
    (await post(`${apps.simulatorUrl}/send`, body)) as { accepted: number };
  return {
    order(actor) {
      counter += 1;
      const number = `${actor.prefix}${run}${String(counter).padStart(3, '0')}`;
      return playedOrder(actor, number, { database, register, send });
    },
    close: () => database.close(),
  };
}

interface Means {
  readonly database: Database;
  readonly register: (order: OrderTerms) => Promise<void>;
  /** A message for the simulator; see apps/simulator. Amounts are fen, as text. */
  readonly send: (message: object) => Promise<{ accepted: number }>;
}

function playedOrder({ provider, channel }: Actor, number: string, means: Means): PlayedOrder {
  let order: OrderTerms = { merchant: MERCHANT, number, amount: DUE, registered: false };
  let wasAlwaysExpected = true;
  // The order's number names its trade, so that every order of a run has a different trade.
  const trade = `T${number}`;
  const content: NotificationContent[] = [];
  const held = new Set<string>();
  const states: StoredOrder[] = [];
  const send = async (
    meaning: NotificationContent['meaning'],
    message: object,
    how: { copies?: number; forge?: 'foreign_key' } = {},
  ): Promise<Sent> => {
    const forged = how.forge !== undefined;
    if (!forged) content.push({ provider, orderNumber: number, trade, meaning });
    const named = { kind: meaning.kind, orderNumber: number, trade, ...message };
    const { accepted } = await means.send({ channel, message: named, ...how });
    return { copies: how.copies ?? 1, acknowledged: accepted, forged };
  };
  return {
    number,
    due: DUE,
    states,
    async register() {
      await means.register(order);
      order = { ...order, registered: true };
    },
    pay: ({ amount = DUE, ...how } = {}) =>
      send({ kind: 'payment', amount }, { amount: amount.toString() }, how),
    refund(amount) {
      const refundId = `R${number}`;
      const unsigned = provider === 'wechatpay-v2';
      const text = amount.toString();
      return send(
        { kind: 'refund', refundId, amount, refundedTotal: amount, unsigned },
        {
          amount: DUE.toString(),
          refundId,
          refundAmount: text,
          refundedTotal: text,
          full: amount === DUE,
        },
      );
    },
    async stored() {
      const expected = expectedRows(order, content);
      for (const outcome of expected.outcomes) if (outcome !== 'applied') held.add(outcome);
      const isExpected = (stored: StoredOrder) => isSame(stored, expected);
      const read = () => means.database.read(number);
      const last = await lastWithin(STORED_LIMIT_MS, read, isExpected);
      states.push(last);
      wasAlwaysExpected &&= isExpected(last);
      return last;
    },
    get wasAlwaysExpected() {
      return wasAlwaysExpected;
    },
    expectedEvents: () => [
      ...expectedEvents(order, content, new Set()).events.map(({ type }) => type),
      ...[...held].map((outcome) => `notification.${outcome}`),
    ],
  };
}

/** The rows that the oracle expects. */
function expectedRows(order: OrderTerms, content: readonly NotificationContent[]): StoredOrder {
  const [state] = expectedOrders(order, content);
  const outcomes = content.map((one) => {
    const outcome = expectedOutcome(one, order);
    return outcome === 'applied' ? outcome : `held: ${outcome}`;
  });
  if (!order.registered || state === undefined) {
    return { status: null, paid: null, refunded: null, outcomes, paidEvents: 0 };
  }
  const { status, paid, refunded } = state;
  const paidEvents = paid > 0n ? 1 : 0;
  return { status, paid: paid.toString(), refunded: refunded.toString(), outcomes, paidEvents };
}

/** In any order of the notifications; a repeated statement is a duplicate of the first one. */
function isSame(stored: StoredOrder, expected: StoredOrder): boolean {
  const asText = ({ status, paid, refunded, paidEvents, outcomes }: StoredOrder) => {
    const kinds = outcomes.map((one) => (one === 'duplicate' ? 'applied' : one)).sort();
    return JSON.stringify([status, paid, refunded, paidEvents, kinds]);
  };
  return asText(stored) === asText(expected);
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
    throw new Error(`POST ${url} returned ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
