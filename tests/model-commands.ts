import { systemClock } from '@payonce/core/runtime/clock';
import { closeOrder } from '@payonce/orders/registration/register';
import { until } from '@payonce/testkit/machine/poll';
import {
  expectedOrders,
  type NotificationContent,
  type OrderTerms,
} from '@payonce/testkit/oracle/oracle';
import type { Posted } from '@payonce/testkit/sending/notify';
import type {
  ProviderSigner,
  SignedNotification,
  SignedRequest,
} from '@payonce/testkit/signers/request';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Shop } from './shop.js';
import { silent } from './silent.js';

const MERCHANT = 'demo';
/** Long ago, so that an order that a merchant closes now was closed after its payment. */
const FIRST_PAID_AT = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const STORED_LIMIT_MS = 15_000;
/** The last one is too small to be halved. */
const DUE = [8_888n, 100n, 1n] as const;

const CHANNELS = {
  alipay: 'sim-alipay',
  wechatpay: 'sim-wechat',
  'wechatpay-v2': 'sim-wechat-v2',
} as const;
type Provider = keyof typeof CHANNELS;

/** The messages and actions so far, in the model's view. */
export interface Model {
  readonly orders: Map<string, OrderTerms>;
  /** The notifications sent so far, by their identity. */
  readonly sent: Map<string, NotificationContent>;
}

/** The product, with the messages that a run has sent to it. */
export interface Real {
  readonly shop: Shop;
  /** The prefix of every number of this run. */
  readonly name: string;
  /** Requests under way, all at once: the order of arrival is random. */
  readonly posts: Promise<unknown>[];
  /** Held back until everything else has arrived. */
  readonly late: (() => void)[];
  readonly sent: Letter[];
  counter: number;
}

interface Letter {
  readonly id: string;
  readonly content: NotificationContent;
  readonly signer: ProviderSigner;
  readonly signed: SignedNotification;
}

export type Command = fc.AsyncCommand<Model, Real>;

export function startOf(shop: Shop, name: string): { model: Model; real: Real } {
  const orders = DUE.map((amount, index): [string, OrderTerms] => {
    const number = `${name}O${index}`;
    return [number, { merchant: MERCHANT, number, amount, registered: false }];
  });
  const real = { shop, name, posts: [], late: [], sent: [], counter: 0 };
  return { model: { orders: new Map(orders), sent: new Map() }, real };
}

export function commands(): fc.Arbitrary<Iterable<Command>> {
  const all = [register(), pay(), pay(), refund(), refund(), expire(), close(), copy(), forge()];
  return fc.commands(all, { maxCommands: 40 });
}

export function sentOf({ sent }: Model, number: string): NotificationContent[] {
  return [...sent.values()].filter((one) => one.orderNumber === number);
}

/**
 * Waits until everything sent is stored. Stored notifications are applied or held: one transaction
 * does both.
 */
export async function allStored({ sent }: Model, real: Real): Promise<void> {
  await Promise.all(real.posts.splice(0));
  await until(`${sent.size} events of ${real.name}`, STORED_LIMIT_MS, async () => {
    const where = { orderNumber: { startsWith: `${real.name}O` } };
    return (await real.shop.prisma.notificationEvent.count({ where })) === sent.size;
  });
}

/** An order of the run with its amount; its terms follow from its number. */
const order = () =>
  fc.nat(DUE.length - 1).map((index) => ({ name: `O${index}`, due: DUE[index] ?? 1n }));
const provider = () => fc.constantFrom<Provider>('alipay', 'wechatpay', 'wechatpay-v2');
const rarely = () => fc.nat(5).map((n) => n === 0);

function register(): fc.Arbitrary<Command> {
  return order().map(({ name, due }) =>
    command(`register ${name}`, async ({ orders }, { shop, name: run }) => {
      await shop.register(run + name, due);
      orders.set(run + name, { ...knownOrder(orders, run + name), registered: true });
    }),
  );
}

/** A trade of Alipay and two of WeChat may pay an order, each at a different time. */
function tradeOf(number: string, provider: Provider, second: boolean) {
  if (provider === 'alipay') return { trade: `${number}A`, paidAt: FIRST_PAID_AT + 2 * MINUTE };
  return second
    ? { trade: `${number}X`, paidAt: FIRST_PAID_AT + MINUTE }
    : { trade: `${number}W`, paidAt: FIRST_PAID_AT + 3 * MINUTE };
}

function pay(): fc.Arbitrary<Command> {
  const choice = { of: order(), from: provider(), second: fc.boolean(), late: rarely() };
  return fc.record({ ...choice, wrong: rarely() }).map(({ of, from, second, late, wrong }) => {
    const title = `pay ${of.name} by ${from}${second ? ' again' : ''}${wrong ? ' wrongly' : ''}`;
    return command(title, async (model, real) => {
      const number = real.name + of.name;
      const usual = tradeOf(number, from, second);
      real.counter += 1;
      const trade = wrong ? `${number}N${real.counter}` : usual.trade;
      const amount = of.due + (wrong ? 1n : 0n);
      const { paidAt } = usual;
      const signer: ProviderSigner = real.shop.signers[CHANNELS[from]];
      const signed = signer.payment({
        orderNumber: number,
        trade,
        amount,
        paidAt: new Date(paidAt),
      });
      const meaning = { kind: 'payment', amount, paidAt } as const;
      const content = { provider: from, orderNumber: number, trade, meaning };
      submit(model, real, { signer, signed, content }, late);
    });
  });
}

function refund(): fc.Arbitrary<Command> {
  const choice = { of: order(), from: provider(), second: fc.boolean(), late: rarely() };
  const percent = fc.constantFrom(100n, 50n, 10n);
  return fc
    .record({ ...choice, percent, fails: rarely() })
    .map(({ of, from, second, late, percent: part, fails }) => {
      const failed = fails && from === 'wechatpay';
      const title = `refund ${part} % of ${of.name} by ${from}${failed ? ', which fails' : ''}`;
      return command(title, async (model, real) => {
        const number = real.name + of.name;
        const { trade } = tradeOf(number, from, second);
        real.counter += 1;
        const amount = (of.due * part) / 100n || 1n;
        const total = [...model.sent.values()]
          .filter((one) => one.trade === trade)
          .reduce(
            (all, { meaning }) => all + (meaning.kind === 'refund' ? meaning.amount : 0n),
            amount,
          );
        const refundId = `${trade}R${real.counter}`;
        const input = {
          orderNumber: number,
          trade,
          amount: of.due,
          refundId,
          refundAmount: amount,
          refundedTotal: total,
          refundedAt: new Date(FIRST_PAID_AT + 60 * MINUTE),
          full: total >= of.due,
        };
        const { signers } = real.shop;
        const signer: ProviderSigner = signers[CHANNELS[from]];
        const signed = failed
          ? signers['sim-wechat'].refund({ ...input, status: 'ABNORMAL' })
          : signer.refund(input);
        const unsigned = from === 'wechatpay-v2';
        const refunded = { refundId, amount, refundedTotal: total, unsigned, failed };
        const meaning = { kind: 'refund', ...refunded } as const;
        const content = { provider: from, orderNumber: number, trade, meaning };
        submit(model, real, { signer, signed, content }, late);
      });
    });
}

/** Alipay closes a trade that nobody paid. */
function expire(): fc.Arbitrary<Command> {
  return fc.record({ of: order(), late: rarely() }).map(({ of, late }) =>
    command(`expire ${of.name}`, async (model, real) => {
      const number = real.name + of.name;
      const trade = `${number}U`;
      const signer = real.shop.signers['sim-alipay'];
      const closedAt = new Date(FIRST_PAID_AT);
      const signed = signer.closed({ orderNumber: number, trade, amount: of.due, closedAt });
      const meaning = { kind: 'closed' } as const;
      const content = { provider: 'alipay', orderNumber: number, trade, meaning } as const;
      submit(model, real, { signer, signed, content }, late);
    }),
  );
}

/** The merchant closes the order; whether it was paid before must not be random. */
function close(): fc.Arbitrary<Command> {
  return order().map(({ name }) =>
    command(`close ${name}`, async (model, real) => {
      await allStored(model, real);
      const number = real.name + name;
      const deps = { prisma: real.shop.prisma, log: silent, clock: systemClock };
      const { outcome } = await closeOrder(deps, { merchant: MERCHANT, number });
      const order = knownOrder(model.orders, number);
      const isPaid = expectedOrders(order, sentOf(model, number)).some(({ paid }) => paid > 0n);
      const expected = order.registered ? (isPaid ? 'paid' : 'closed') : 'unknown_order';
      expect(outcome).toBe(expected);
      if (expected === 'closed') model.orders.set(number, { ...order, closedByMerchant: true });
    }),
  );
}

/** The provider sends it again. */
function copy(): fc.Arbitrary<Command> {
  return fc.nat().map((n) =>
    command('send one again', async (model, real) => {
      const letter = real.sent[n % real.sent.length];
      if (letter) send(model, real, letter, letter.signer.resend(letter.signed));
    }),
  );
}

/** An attacker sends or alters it: refused, without a trace. */
function forge(): fc.Arbitrary<Command> {
  const kind = fc.constantFrom('foreign_key' as const, 'changed_content' as const);
  return fc.tuple(fc.nat(), kind).map(([n, how]) =>
    command(`forge one by ${how}`, async (_model, real) => {
      const letter = real.sent[n % real.sent.length];
      if (letter === undefined) return;
      const reply = await post(real, letter, letter.signer.forge(letter.signed, how));
      expect([400, 401]).toContain(reply.status);
    }),
  );
}

function knownOrder(orders: Model['orders'], number: string): OrderTerms {
  const order = orders.get(number);
  if (order === undefined) throw new Error('the model knows every order');
  return order;
}

function command(name: string, run: Command['run']): Command {
  return { check: () => true, run, toString: () => name };
}

/** Sends it now, or when everything else has arrived. */
function submit(model: Model, real: Real, unnamed: Omit<Letter, 'id'>, late: boolean): void {
  const { content, signed } = unnamed;
  const { meaning, trade } = content;
  // API v2 has no notification ID: the same content is the same notification.
  const words = `${meaning.kind} ${trade} ${meaning.kind === 'refund' ? meaning.refundId : ''}`;
  const letter = { ...unnamed, id: signed.notificationId ?? words };
  real.sent.push(letter);
  if (late) real.late.push(() => send(model, real, letter, signed));
  else send(model, real, letter, signed);
}

function send(model: Model, real: Real, letter: Letter, request: SignedRequest): void {
  model.sent.set(letter.id, letter.content);
  real.posts.push(accepted(real, letter, request));
}

async function accepted(real: Real, letter: Letter, request: SignedRequest): Promise<void> {
  const reply = await post(real, letter, request);
  expect(reply).toMatchObject({ acknowledged: true });
}

function post(real: Real, { content }: Letter, request: SignedRequest): Promise<Posted> {
  return real.shop.post(CHANNELS[content.provider], request);
}
