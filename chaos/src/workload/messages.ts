import { randomUUID } from 'node:crypto';
import type { SimulatedChannels, SimulatedSigners } from '@payonce/testkit/channels/channels';
import type { Random } from '@payonce/testkit/machine/random';
import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import type {
  ForgeryKind,
  ProviderSigner,
  SignedNotification,
  SignedRequest,
  SignerId,
} from '@payonce/testkit/signers/request';
import type { WechatpayV2Signer } from '@payonce/testkit/signers/wechatpay-v2';
import type { WorkloadNotification } from '../history/history.js';
import { recut } from './recut.js';
import { RIVAL } from './rival.js';

/** A notification that can be sent any number of times, with its meaning. */
export interface Message {
  readonly notification: WorkloadNotification;
  /** `/notify/{provider}/{channel}` */
  readonly path: string;
  /**
   * Signs now: the first call is the first sending, later ones are the provider's re-sends (fresh
   * time and nonce).
   */
  sign(): SignedRequest;
  /** One captured sending in another cut or envelope; null if its protocol allows only one. */
  recut(random: Random): SignedRequest | null;
}

export interface Payment {
  readonly provider: SignerId;
  readonly order: OrderTerms;
  readonly trade: string;
  readonly forge?: ForgeryKind;
  /** The merchant's text in a payment: Alipay `subject`, WeChat `attach`. */
  readonly text?: string;
}

export interface Refund extends Payment {
  readonly amount: bigint;
  /** The refunded total of the trade, including this one. */
  readonly total: bigint;
}

/** Creates signed messages; every name is new in this run. */
export interface MessageComposer {
  trade(): string;
  payment(payment: Payment): Message;
  refund(refund: Refund): Message;
  /** An Alipay order that nobody paid in time. */
  closed(order: OrderTerms): Message;
}

const CHANNELS = {
  alipay: 'sim-alipay',
  wechatpay: 'sim-wechat',
  'wechatpay-v2': 'sim-wechat-v2',
} as const satisfies Record<SignerId, string>;

/** @param rival signs the messages for the second merchant's orders */
export function createMessageComposer(
  { signers }: Pick<SimulatedChannels, 'signers'>,
  rival: WechatpayV2Signer,
): MessageComposer {
  return new Composer(signers, { ...signers, 'sim-wechat-v2': rival });
}

class Composer implements MessageComposer {
  readonly #startedAt = String(Date.now());
  #count = 0;

  constructor(
    private readonly signers: SimulatedSigners,
    private readonly rivals: SimulatedSigners,
  ) {}

  /** 28 digits, like both rails' numbers. */
  trade(): string {
    this.#count += 1;
    return `42${this.#startedAt}${String(this.#count).padStart(13, '0')}`;
  }

  payment(payment: Payment): Message {
    const { provider, order, trade, forge } = payment;
    const jobToken = provider === 'wechatpay-v2' ? trade : this.#notificationIdFor(provider);
    const meaning = { kind: 'payment', amount: order.amount } as const;
    const input = {
      orderNumber: order.number,
      trade,
      amount: order.amount,
      paidAt: new Date(),
      ...(payment.text !== undefined && { text: payment.text }),
    };
    const sign = withSigner(this.#signersOf(order), provider, (signer) =>
      signing(signer, () => signer.payment({ ...input, notificationId: jobToken }), forge),
    );
    return this.#message({ ...payment, jobToken, meaning }, sign);
  }

  closed(order: OrderTerms): Message {
    const [trade, jobToken] = [this.trade(), this.trade()];
    const { number: orderNumber, amount } = order;
    const closedAt = new Date();
    const input = { orderNumber, trade, amount, closedAt, notificationId: jobToken };
    const signer = this.signers['sim-alipay'];
    const sign = signing(signer, () => signer.closed(input), undefined);
    const meaning = { kind: 'closed' } as const;
    return this.#message({ provider: 'alipay', order, trade, jobToken, meaning }, sign);
  }

  refund(refund: Refund): Message {
    const { provider, order, trade, forge } = refund;
    const refundId = this.trade();
    const jobToken = provider === 'wechatpay-v2' ? refundId : this.#notificationIdFor(provider);
    const meaning = {
      kind: 'refund',
      refundId,
      amount: refund.amount,
      refundedTotal: refund.total,
      unsigned: provider === 'wechatpay-v2',
    } as const;
    const input = {
      orderNumber: order.number,
      trade,
      amount: order.amount,
      refundId,
      refundAmount: refund.amount,
      refundedTotal: refund.total,
      refundedAt: new Date(),
      full: refund.total === order.amount,
    };
    const sign = withSigner(this.#signersOf(order), provider, (signer) =>
      signing(signer, () => signer.refund({ ...input, notificationId: jobToken }), forge),
    );
    return this.#message({ ...refund, jobToken, meaning }, sign);
  }

  #message(
    what: Pick<WorkloadNotification, 'jobToken' | 'meaning'> & Payment,
    sign: () => SignedRequest,
  ): Message {
    const { provider, order, trade, jobToken, meaning, forge } = what;
    this.#count += 1;
    let captured: SignedRequest | null = null;
    return {
      notification: {
        key: `${provider} ${this.#count}`,
        orderNumber: order.number,
        forged: forge !== undefined,
        provider,
        trade,
        jobToken,
        meaning,
      },
      path: `/notify/${provider}/${isRival(order) ? RIVAL.channel : CHANNELS[provider]}`,
      sign,
      recut(random) {
        captured ??= sign();
        return recut(provider, captured, random);
      },
    };
  }

  #signersOf(order: OrderTerms): SimulatedSigners {
    return isRival(order) ? this.rivals : this.signers;
  }

  /** Alipay and v3 give the notification an ID; v2 has only the trade or the refund. */
  #notificationIdFor(provider: SignerId): string {
    return provider === 'wechatpay' ? randomUUID() : this.trade();
  }
}

function isRival({ merchant }: OrderTerms): boolean {
  return merchant === RIVAL.merchant;
}

/** The three signers have different message types; `use` works with any of them. */
function withSigner<Result>(
  signers: SimulatedSigners,
  provider: SignerId,
  use: <Content>(signer: ProviderSigner<Content>) => Result,
): Result {
  switch (provider) {
    case 'alipay':
      return use(signers['sim-alipay']);
    case 'wechatpay':
      return use(signers['sim-wechat']);
    case 'wechatpay-v2':
      return use(signers['sim-wechat-v2']);
  }
}

function signing<Content>(
  signer: ProviderSigner<Content>,
  compose: () => SignedNotification<Content>,
  forge: ForgeryKind | undefined,
): () => SignedRequest {
  let made: SignedNotification<Content> | null = null;
  return () => {
    const notification = made === null ? compose() : signer.resend(made);
    made ??= notification;
    return forge === undefined ? notification : signer.forge(notification, forge);
  };
}
