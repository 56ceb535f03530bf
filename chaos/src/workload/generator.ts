import type { Random } from '@payonce/testkit/machine/random';
import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import type { SignerId } from '@payonce/testkit/signers/request';
import type { MessageComposer } from './messages.js';
import { type Planned, PlanWriter, plan } from './plans.js';
import { RIVAL } from './rival.js';

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
/** Of each captured message. */
const CAPTURED_CUTS = 80;
/** Between two notifications of a steady order. */
const STEADY_MS = 500;

const KINDS = [
  [32, 'plain'],
  [17, 'copied'],
  [12, 'twins'],
  [14, 'refunded'],
  [9, 'reordered'],
  [7, 'forged'],
  [3, 'expired'],
  [3, 'twicePaid'],
  [3, 'recut'],
] as const satisfies readonly (readonly [share: number, keyof PlanWriter])[];
const BAG = KINDS.flatMap(([share, kind]) => Array.from({ length: share }, () => kind));

export function createGenerator(
  composer: MessageComposer,
  random: Random,
  run: string,
): WorkloadGenerator {
  return new Generator(composer, random, run);
}

class Generator implements WorkloadGenerator {
  readonly #plans: PlanWriter;
  #count = 0;

  constructor(
    private readonly composer: MessageComposer,
    private readonly random: Random,
    private readonly run: string,
  ) {
    this.#plans = new PlanWriter(composer, random);
  }

  next(): OrderWorkload {
    const { random } = this;
    const fate = random.next();
    const order = this.#newOrder(fate >= 0.02);
    // Most orders are registered before they are paid; some merchants are slow, a few never
    // register.
    const registerAtMs = !order.registered ? null : fate < 0.08 ? random.between(500, 4_000) : 0;
    const kind = random.pick(BAG);
    return { order, registerAtMs, plan: this.#plans[kind](order, random.pick(PROVIDERS)) };
  }

  hot(provider: 'alipay' | 'wechatpay'): OrderWorkload {
    const { random } = this;
    const order = { ...this.#newOrder(), amount: 1_000_000n };
    const parts = Array.from({ length: HOT_REFUNDS }, (_, index) => index + 1);
    const spread = this.#plans.paidAndRefunded(order, provider, 0, parts).map((one) => ({
      ...one,
      atMs: random.between(100, 1_500),
      copies: 2,
      againAtMs: [random.between(1_000, 3_000)],
    }));
    return { order, registerAtMs: 0, plan: random.shuffled(spread) };
  }

  captured(provider: 'alipay' | 'wechatpay-v2'): OrderWorkload {
    const order = this.#newOrder();
    return { order, registerAtMs: 0, plan: this.#plans.captured(order, provider, CAPTURED_CUTS) };
  }

  steady(ms: number): OrderWorkload {
    const order = this.#newOrder();
    const parts = Array.from({ length: Math.ceil(ms / STEADY_MS) }, () => 1);
    const planned = this.#plans.paidAndRefunded(order, 'wechatpay', 200, parts);
    const spread = planned.map((one, index) =>
      index === 0 ? one : { ...one, atMs: index * STEADY_MS },
    );
    return { order, registerAtMs: 0, plan: spread };
  }

  unregistered(ms: number): OrderWorkload {
    const order = this.#newOrder();
    const payment = this.#plans.payment(order, this.random.pick(PROVIDERS));
    return { order, registerAtMs: ms, plan: [plan(payment, 100, { againAtMs: [600, 1_200] })] };
  }

  contested(): readonly OrderWorkload[] {
    const { random } = this;
    const [mine, theirs] = [this.#newOrder(), { ...this.#newOrder(), merchant: RIVAL.merchant }];
    const trade = this.composer.trade();
    const provider = random.pick(['wechatpay', 'wechatpay-v2'] as const);
    const genuine = this.#plans.payment(mine, provider, trade);
    // Before and after: the buyer may show the number first, and after an outage genuine ones
    // come late.
    const [first, second] = random.chance(0.5) ? [100, 500] : [500, 100];
    const claimed = this.#plans.payment(theirs, 'wechatpay-v2', trade);
    return [
      { order: mine, registerAtMs: 0, plan: [plan(genuine, first)] },
      { order: theirs, registerAtMs: 0, plan: [plan(claimed, second, { againAtMs: [700] })] },
    ];
  }

  #newOrder(registered = true): OrderTerms {
    this.#count += 1;
    const amount = BigInt(this.random.between(100, 99_999));
    return { merchant: MERCHANT, number: `C${this.run}-${this.#count}`, amount, registered };
  }
}
