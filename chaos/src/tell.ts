import { randomUUID } from 'node:crypto';
import type { SimulatedChannels } from '@payonce/testkit/channels';
import type {
  ForgeryKind,
  ProviderSigner,
  SignedNotification,
  SignedRequest,
  SignerId,
} from '@payonce/testkit/request';
import type { ToldNotification, ToldOrder } from './ledger.js';

/** A notification that can be sent any number of times, with what it says. */
export interface Message {
  readonly told: ToldNotification;
  /** `/notify/{provider}/{channel}` */
  readonly path: string;
  /** Signs now: the first call makes it, later ones are the provider's re-sending (fresh time and nonce). */
  sign(): SignedRequest;
}

export interface Payment {
  readonly provider: SignerId;
  readonly order: ToldOrder;
  readonly trade: string;
  readonly forge?: ForgeryKind;
}

export interface Refund extends Payment {
  readonly amount: bigint;
  /** Of the trade, this one included. */
  readonly total: bigint;
}

/** Puts the provider's words into signed messages; every name is new in this run. */
export interface Teller {
  trade(): string;
  payment(payment: Payment): Message;
  refund(refund: Refund): Message;
  /** Of Alipay, that nobody paid in time. */
  closed(order: ToldOrder): Message;
}

const CHANNELS = {
  alipay: 'sim-alipay',
  wechatpay: 'sim-wechat',
  'wechatpay-v2': 'sim-wechat-v2',
} as const satisfies Record<SignerId, string>;

export function createTeller({ signers }: SimulatedChannels): Teller {
  const startedAt = String(Date.now());
  let count = 0;
  /** 28 digits, as both rails' numbers have. */
  const digits = () => {
    count += 1;
    return `42${startedAt}${String(count).padStart(13, '0')}`;
  };
  const message = (
    what: Pick<ToldNotification, 'jobToken' | 'says'> & Payment,
    speak: (notificationId: string) => () => SignedRequest,
  ): Message => {
    const { provider, order, trade, jobToken, says, forge } = what;
    count += 1;
    return {
      told: {
        key: `${provider} ${count}`,
        orderNumber: order.number,
        forged: forge !== undefined,
        provider,
        trade,
        jobToken,
        says,
      },
      path: `/notify/${provider}/${CHANNELS[provider]}`,
      sign: speak(jobToken),
    };
  };
  /** Alipay and v3 name the notification; v2 has nothing but the trade or the refund. */
  const notificationIdFor = (provider: SignerId) =>
    provider === 'wechatpay' ? randomUUID() : digits();

  return {
    trade: digits,
    payment(payment) {
      const { provider, order, trade, forge } = payment;
      const jobToken = provider === 'wechatpay-v2' ? trade : notificationIdFor(provider);
      const says = { kind: 'payment', amount: order.amount } as const;
      const input = { orderNumber: order.number, trade, amount: order.amount, paidAt: new Date() };
      return message({ ...payment, jobToken, says }, (notificationId) =>
        withSigner(signers, provider, (signer) =>
          speaker(signer, () => signer.payment({ ...input, notificationId }), forge),
        ),
      );
    },
    closed(order) {
      const [trade, jobToken] = [digits(), digits()];
      const { number: orderNumber, amount } = order;
      const input = { orderNumber, trade, amount, closedAt: new Date() };
      const what = {
        provider: 'alipay',
        order,
        trade,
        jobToken,
        says: { kind: 'closed' },
      } as const;
      const signer = signers['sim-alipay'];
      return message(what, (notificationId) =>
        speaker(signer, () => signer.closed({ ...input, notificationId }), undefined),
      );
    },
    refund(refund) {
      const { provider, order, trade, forge } = refund;
      const refundId = digits();
      const jobToken = provider === 'wechatpay-v2' ? refundId : notificationIdFor(provider);
      const says = {
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
      return message({ ...refund, jobToken, says }, (notificationId) =>
        withSigner(signers, provider, (signer) =>
          speaker(signer, () => signer.refund({ ...input, notificationId }), forge),
        ),
      );
    },
  };
}

/** The three signers differ in what they remember of a message; `use` is for any of them. */
function withSigner<Result>(
  signers: SimulatedChannels['signers'],
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

function speaker<Content>(
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
