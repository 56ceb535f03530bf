import type { Random } from '@payonce/testkit/machine/random';
import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import type { SignedRequest, SignerId } from '@payonce/testkit/signers/request';
import type { Message, MessageComposer } from './messages.js';
import { CUTTABLE } from './recut.js';

/** Cuts arrive within these times; the genuine message comes in between. */
const CUTS_MS = 1_500;
const GENUINE_MS = 600;
const FEW_CUTS = 4;

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

export function plan(message: Message, atMs: number, more: Partial<Planned> = {}): Planned {
  return { message, atMs, copies: 1, againAtMs: [], recuts: [], ...more };
}

/** Plans an order's messages, one method per kind of order. */
export class PlanWriter {
  constructor(
    private readonly composer: MessageComposer,
    private readonly random: Random,
  ) {}

  plain(order: OrderTerms, provider: SignerId): Planned[] {
    return [plan(this.payment(order, provider), this.#soon())];
  }

  copied(order: OrderTerms, provider: SignerId): Planned[] {
    const againAtMs = [this.random.between(100, 1_500), this.random.between(1_500, 9_000)];
    return [plan(this.payment(order, provider), this.#soon(), { againAtMs })];
  }

  /**
   * The same over both links within a millisecond, and another notification with the same meaning.
   */
  twins(order: OrderTerms, provider: SignerId): Planned[] {
    const trade = this.composer.trade();
    const first = plan(this.payment(order, provider, trade), 200, { copies: 2 });
    const other = provider === 'wechatpay' ? 'wechatpay-v2' : 'wechatpay';
    const second = this.payment(order, provider === 'alipay' ? 'alipay' : other, trade);
    return [first, plan(second, 200)];
  }

  refunded(order: OrderTerms, provider: SignerId): Planned[] {
    const whole = Number(order.amount);
    const half = this.random.between(1, whole - 1);
    const parts = this.random.pick([[half], [whole], [half, whole - half], [1, 1, 1, 1]]);
    return this.paidAndRefunded(order, provider, this.#soon(), parts);
  }

  /** Later notifications arrive first. */
  reordered(order: OrderTerms, provider: SignerId): Planned[] {
    const planned = this.refunded(order, provider);
    return planned.map((one, index) => ({ ...one, atMs: 50 + (planned.length - index) * 150 }));
  }

  forged(order: OrderTerms, provider: SignerId): Planned[] {
    const forge = this.random.pick(['foreign_key', 'changed_content'] as const);
    const trade = this.composer.trade();
    const forgery = this.composer.payment({ provider, order, trade, forge });
    const genuine = this.random.chance(0.5)
      ? [plan(this.payment(order, provider, trade), this.#soon())]
      : [];
    return [plan(forgery, this.#soon(), { copies: 2 }), ...genuine];
  }

  /** Not paid in time; sometimes the buyer has paid elsewhere, or does so a little later. */
  expired(order: OrderTerms): Planned[] {
    const closed = plan(this.composer.closed(order), 400);
    const atMs = this.random.between(100, 1_200);
    if (this.random.chance(0.7)) return [closed];
    return [closed, plan(this.payment(order, 'wechatpay'), atMs)];
  }

  /** Two trades of one order, which raises an attention flag. */
  twicePaid(order: OrderTerms): Planned[] {
    const first = plan(this.payment(order, 'alipay'), this.#soon());
    const provider = this.random.pick(['wechatpay', 'wechatpay-v2'] as const);
    return [first, plan(this.payment(order, provider), this.#soon())];
  }

  /** Sometimes an attacker has captured the provider's message. */
  recut(order: OrderTerms, provider: SignerId): Planned[] {
    return this.captured(order, provider === 'alipay' ? provider : 'wechatpay-v2', FEW_CUTS);
  }

  /** A payment and a refund, each with so many cuts, some before the genuine one. */
  captured(order: OrderTerms, provider: 'alipay' | 'wechatpay-v2', cuts: number): Planned[] {
    const trade = this.composer.trade();
    const [total, text] = [order.amount, CUTTABLE[provider]];
    const paid = this.composer.payment({ provider, order, trade, text });
    const refund = this.composer.refund({ provider, order, trade, amount: total, total });
    return [
      plan(paid, GENUINE_MS, { recuts: this.#cutsOf(paid, cuts) }),
      plan(refund, GENUINE_MS + 300, { recuts: this.#cutsOf(refund, cuts) }),
    ];
  }

  /** A payment, then a refund notice per part with running totals, each after the previous one. */
  paidAndRefunded(
    order: OrderTerms,
    provider: SignerId,
    paidAtMs: number,
    parts: readonly number[],
  ): Planned[] {
    const trade = this.composer.trade();
    const paid = plan(this.payment(order, provider, trade), paidAtMs);
    let total = 0n;
    const refunds = parts.map((part, index) => {
      const amount = BigInt(part);
      total += amount;
      const refund = this.composer.refund({ provider, order, trade, amount, total });
      return plan(refund, 600 + index * 300);
    });
    return [paid, ...refunds];
  }

  payment(order: OrderTerms, provider: SignerId, trade = this.composer.trade()): Message {
    return this.composer.payment({ provider, order, trade });
  }

  #soon(): number {
    return this.random.between(50, 400);
  }

  #cutsOf(message: Message, count: number): Planned['recuts'] {
    return Array.from({ length: count }, () => ({
      atMs: this.random.between(0, CUTS_MS),
      sign: () => message.recut(this.random) ?? message.sign(),
    }));
  }
}
