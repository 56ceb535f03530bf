import type { OrderTerms } from '@payonce/testkit/oracle';
import type { SignedRequest, SignerId } from '@payonce/testkit/request';
import type { Message, MessageComposer } from './messages.js';
import type { Random } from './random.js';
import { CUTTABLE } from './recut.js';
import { RIVAL } from './rival.js';

/** A message with its times, in milliseconds from the beginning of its order's workload. */
export interface Planned {
  readonly message: Message;
  readonly atMs: number;
  /** How many are sent at the same moment, to different gateways. */
  readonly copies: number;
  /** Sent again at these times, although it was acknowledged. */
  readonly againAtMs: readonly number[];
  /**
   * The same message in other cuts or envelopes, sent once each: before the genuine one and after.
   */
  readonly recuts: readonly { readonly atMs: number; readonly sign: () => SignedRequest }[];
}

/** The messages of one order. */
export interface OrderWorkload {
  readonly order: OrderTerms;
  /** Null: never. */
  readonly registerAtMs: number | null;
  readonly plan: readonly Planned[];
}

/** Makes the workload, order by order, at random by the seed of the run. */
export interface WorkloadGenerator {
  /** One of any kind, at random. */
  next(): OrderWorkload;
  /** Very many notifications of one order, all within a second and a half. */
  hot(provider: 'alipay' | 'wechatpay'): OrderWorkload;
  /** A captured payment and refund, sent in many cuts and envelopes. */
  captured(provider: 'alipay' | 'wechatpay-v2'): OrderWorkload;
  /** An order with notifications at intervals for so long. */
  steady(ms: number): OrderWorkload;
  /** An order that the merchant registers only after so long; it is paid meanwhile. */
  unregistered(ms: number): OrderWorkload;
  /** One trade that two merchants claim, each for one of its orders. */
  contested(): readonly OrderWorkload[];
}

const PROVIDERS = ['alipay', 'wechatpay', 'wechatpay-v2'] as const satisfies readonly SignerId[];
const MERCHANT = 'demo';
const HOT_REFUNDS = 60;
/** Of each captured message, within these times; the genuine one comes in between. */
const CAPTURED_CUTS = 80;
const FEW_CUTS = 4;
const CUTS_MS = 1_500;
const GENUINE_MS = 600;
/** Between two notifications of a steady order. */
const STEADY_MS = 500;

type Writer = (order: OrderTerms, provider: SignerId) => Planned[];

export function createGenerator(
  composer: MessageComposer,
  random: Random,
  run: string,
): WorkloadGenerator {
  let count = 0;
  const newOrder = (registered = true): OrderTerms => {
    count += 1;
    const amount = BigInt(random.between(100, 99_999));
    return { merchant: MERCHANT, number: `C${run}-${count}`, amount, registered };
  };
  const plan = (message: Message, atMs: number, more: Partial<Planned> = {}): Planned => ({
    message,
    atMs,
    copies: 1,
    againAtMs: [],
    recuts: [],
    ...more,
  });
  const soon = () => random.between(50, 400);
  const payment = (order: OrderTerms, provider: SignerId, trade = composer.trade()) =>
    composer.payment({ provider, order, trade });
  /** A refund notice per part, with running totals, each some time after the previous one. */
  const refunds = (order: OrderTerms, provider: SignerId, trade: string, parts: number[]) => {
    let total = 0n;
    return parts.map((part, index) => {
      const amount = BigInt(part);
      total += amount;
      return plan(composer.refund({ provider, order, trade, amount, total }), 600 + index * 300);
    });
  };

  const plain: Writer = (order, provider) => [plan(payment(order, provider), soon())];
  const copied: Writer = (order, provider) => {
    const againAtMs = [random.between(100, 1_500), random.between(1_500, 9_000)];
    return [plan(payment(order, provider), soon(), { againAtMs })];
  };
  /**
   * The same over both links within a millisecond, and another notification with the same meaning.
   */
  const twins: Writer = (order, provider) => {
    const trade = composer.trade();
    const first = plan(payment(order, provider, trade), 200, { copies: 2 });
    const other = provider === 'wechatpay' ? 'wechatpay-v2' : 'wechatpay';
    const second = payment(order, provider === 'alipay' ? 'alipay' : other, trade);
    return [first, plan(second, 200)];
  };
  const refunded: Writer = (order, provider) => {
    const trade = composer.trade();
    const whole = Number(order.amount);
    const half = random.between(1, whole - 1);
    const parts = random.pick([[half], [whole], [half, whole - half], [1, 1, 1, 1]]);
    const paid = plan(payment(order, provider, trade), soon());
    return [paid, ...refunds(order, provider, trade, parts)];
  };
  /** Later notifications arrive first. */
  const reordered: Writer = (order, provider) => {
    const planned = refunded(order, provider);
    return planned.map((one, index) => ({ ...one, atMs: 50 + (planned.length - index) * 150 }));
  };
  const forged: Writer = (order, provider) => {
    const kind = random.pick(['foreign_key', 'changed_content'] as const);
    const trade = composer.trade();
    const forgery = composer.payment({ provider, order, trade, forge: kind });
    const genuine = random.chance(0.5) ? [plan(payment(order, provider, trade), soon())] : [];
    return [plan(forgery, soon(), { copies: 2 }), ...genuine];
  };
  /** Not paid in time; sometimes the buyer has paid elsewhere, or does so a little later. */
  const expired: Writer = (order) => {
    const closed = plan(composer.closed(order), 400);
    const atMs = random.between(100, 1_200);
    return random.chance(0.7) ? [closed] : [closed, plan(payment(order, 'wechatpay'), atMs)];
  };
  /** Two trades of one order, which raises an attention flag. */
  const twicePaid: Writer = (order) => [
    plan(payment(order, 'alipay'), soon()),
    plan(payment(order, random.pick(['wechatpay', 'wechatpay-v2'] as const)), soon()),
  ];
  /** So many cuts of a message, some before the genuine one. */
  const withCuts = (planned: Planned, cuts: number): Planned => ({
    ...planned,
    recuts: Array.from({ length: cuts }, () => ({
      atMs: random.between(0, CUTS_MS),
      sign: () => planned.message.recut(random) ?? planned.message.sign(),
    })),
  });
  const capturedOf = (order: OrderTerms, provider: 'alipay' | 'wechatpay-v2', cuts: number) => {
    const trade = composer.trade();
    const [total, text] = [order.amount, CUTTABLE[provider]];
    const paid = plan(composer.payment({ provider, order, trade, text }), GENUINE_MS);
    const refund = composer.refund({ provider, order, trade, amount: total, total });
    return [paid, plan(refund, GENUINE_MS + 300)].map((planned) => withCuts(planned, cuts));
  };
  /** Sometimes an attacker has captured the provider's message. */
  const recut: Writer = (order, provider) =>
    capturedOf(order, provider === 'alipay' ? provider : 'wechatpay-v2', FEW_CUTS);
  const kinds: readonly (readonly [share: number, Writer])[] = [
    [32, plain],
    [17, copied],
    [12, twins],
    [14, refunded],
    [9, reordered],
    [7, forged],
    [3, expired],
    [3, twicePaid],
    [3, recut],
  ];
  const bag = kinds.flatMap(([share, writer]) => Array.from({ length: share }, () => writer));

  return {
    next() {
      const fate = random.next();
      const order = newOrder(fate >= 0.02);
      // Most orders are registered before they are paid; some merchants are slow, a few never
      // register.
      const registerAtMs = !order.registered ? null : fate < 0.08 ? random.between(500, 4_000) : 0;
      return { order, registerAtMs, plan: random.pick(bag)(order, random.pick(PROVIDERS)) };
    },
    captured(provider) {
      const order = newOrder();
      return { order, registerAtMs: 0, plan: capturedOf(order, provider, CAPTURED_CUTS) };
    },
    steady(ms) {
      const order = newOrder();
      const trade = composer.trade();
      const paid = plan(payment(order, 'wechatpay', trade), 200);
      const parts = Array.from({ length: Math.ceil(ms / STEADY_MS) }, () => 1);
      const planned = refunds(order, 'wechatpay', trade, parts);
      const spread = planned.map((one, index) => ({ ...one, atMs: 500 + index * STEADY_MS }));
      return { order, registerAtMs: 0, plan: [paid, ...spread] };
    },
    unregistered(ms) {
      const order = newOrder();
      const paid = plan(payment(order, random.pick(PROVIDERS)), 100, { againAtMs: [600, 1_200] });
      return { order, registerAtMs: ms, plan: [paid] };
    },
    contested() {
      const [mine, theirs] = [newOrder(), { ...newOrder(), merchant: RIVAL.merchant }];
      const trade = composer.trade();
      const genuine = payment(mine, random.pick(['wechatpay', 'wechatpay-v2'] as const), trade);
      // Before and after: the buyer may show the number first, and after an outage genuine ones
      // come late.
      const [first, second] = random.chance(0.5) ? [100, 500] : [500, 100];
      const planned = [plan(genuine, first)];
      const copies = [plan(payment(theirs, 'wechatpay-v2', trade), second, { againAtMs: [700] })];
      return [
        { order: mine, registerAtMs: 0, plan: planned },
        { order: theirs, registerAtMs: 0, plan: copies },
      ];
    },
    hot(provider) {
      const order = { ...newOrder(), amount: 1_000_000n };
      const trade = composer.trade();
      const parts = Array.from({ length: HOT_REFUNDS }, (_, index) => index + 1);
      const planned = [
        plan(payment(order, provider, trade), 0),
        ...refunds(order, provider, trade, parts),
      ];
      const spread = planned.map((one) => ({
        ...one,
        atMs: random.between(100, 1_500),
        copies: 2,
        againAtMs: [random.between(1_000, 3_000)],
      }));
      return { order, registerAtMs: 0, plan: random.shuffled(spread) };
    },
  };
}
