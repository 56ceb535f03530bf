/** Complete histories of order A1, as the providers send them, and their expected ends. */
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import type { AttentionFlag, OrderStatus } from '@payonce/orders/orders/order';
import { minute } from './database-support.js';
import {
  alipay,
  fromAlipay,
  fromWechat,
  fromWechatV2,
  PAYMENT,
  refund,
  wechat,
  wechatV2,
} from './wire.js';

interface Story {
  readonly title: string;
  readonly told: () => readonly VerifiedNotification[];
  readonly status: OrderStatus;
  /** 8888 by default. */
  readonly paid?: bigint;
  readonly refunded?: bigint;
  readonly attention?: readonly AttentionFlag[];
  /** T1 by default. */
  readonly primary?: string | null;
  readonly paidAt?: Date | null;
  /** Order events that must occur, in any order of arrival. */
  readonly events?: readonly string[];
}

const payment = () => fromAlipay(alipay.payment(PAYMENT));
const wechatPayment = () => fromWechat(wechat.payment(PAYMENT));
const alipayRefund = (...of: Parameters<typeof refund>) => fromAlipay(alipay.refund(refund(...of)));
const wechatRefund = (
  status: 'SUCCESS' | 'CLOSED' | 'ABNORMAL',
  ...of: Parameters<typeof refund>
) => fromWechat(wechat.refund({ ...refund(...of), status }));
const second = { ...PAYMENT, trade: 'T2', paidAt: minute(3) };
const timeOut = (trade: string, closedAt: Date) =>
  fromAlipay(alipay.closed({ orderNumber: 'A1', trade, amount: 8888n, closedAt }));

export const stories: readonly Story[] = [
  { title: 'Alipay: paid', told: () => [payment()], status: 'paid', events: ['order.paid paid'] },
  { title: 'WeChat Pay v3: paid', told: () => [wechatPayment()], status: 'paid' },
  {
    title: 'WeChat Pay v2: paid',
    told: () => [fromWechatV2(wechatV2.payment(PAYMENT))],
    status: 'paid',
  },
  {
    title: 'WeChat Pay v2 and v3 tell one payment',
    told: () => [fromWechatV2(wechatV2.payment(PAYMENT)), wechatPayment()],
    status: 'paid',
  },
  {
    title: 'Alipay: a partial refund',
    told: () => [payment(), alipayRefund('R1', 3000n)],
    status: 'partially_refunded',
    refunded: 3000n,
    events: ['order.paid paid', 'order.partially_refunded 3000'],
  },
  {
    title: 'WeChat Pay: a partial refund',
    told: () => [wechatPayment(), wechatRefund('SUCCESS', 'R1', 3000n)],
    status: 'partially_refunded',
    refunded: 3000n,
  },
  {
    title: 'Alipay: several refunds are told as running totals, the last one closes the trade',
    told: () => [
      payment(),
      alipayRefund('R1', 1000n),
      alipayRefund('R2', 2000n, 3000n),
      alipayRefund('R3', 5888n, 8888n),
    ],
    status: 'refunded',
    refunded: 8888n,
    events: ['order.paid paid', 'order.refunded 8888'],
  },
  {
    title: 'WeChat Pay: several refunds are told one by one, and add up',
    told: () => [
      wechatPayment(),
      wechatRefund('SUCCESS', 'R1', 1000n),
      wechatRefund('SUCCESS', 'R2', 2000n),
      wechatRefund('SUCCESS', 'R3', 5888n),
    ],
    status: 'refunded',
    refunded: 8888n,
    events: ['order.paid paid', 'order.refunded 8888'],
  },
  {
    title: 'Alipay: the first of two refunds is lost, the total is not',
    told: () => [payment(), alipayRefund('R2', 2000n, 3000n)],
    status: 'partially_refunded',
    refunded: 3000n,
  },
  {
    title: 'Alipay: the payment notice is lost, and only a partial refund is seen',
    told: () => [alipayRefund('R1', 3000n)],
    status: 'partially_refunded',
    refunded: 3000n,
    events: ['order.paid paid', 'order.partially_refunded 3000'],
  },
  {
    title: 'Alipay: all is lost but the full refund, which names no time of payment',
    told: () => {
      const { paidAt: _, ...untimed } = refund('R1', 8888n);
      return [fromAlipay(alipay.refund(untimed))];
    },
    status: 'refunded',
    refunded: 8888n,
    paidAt: null,
    events: ['order.paid paid', 'order.refunded 8888'],
  },
  {
    title: 'WeChat Pay: the payment notice is lost, and only the refund is seen',
    told: () => [wechatRefund('SUCCESS', 'R1', 8888n)],
    status: 'refunded',
    refunded: 8888n,
    paidAt: null,
    events: ['order.paid paid', 'order.refunded 8888'],
  },
  {
    title: "Alipay's totals beside WeChat's singles: each trade by its own rule",
    told: () => [
      payment(),
      fromWechat(wechat.payment(second)),
      alipayRefund('R1', 1000n),
      alipayRefund('R2', 2000n, 3000n),
      wechatRefund('SUCCESS', 'W1', 500n, 500n, { trade: 'T2' }),
      wechatRefund('SUCCESS', 'W2', 700n, 1200n, { trade: 'T2' }),
    ],
    status: 'partially_refunded',
    refunded: 3000n,
    attention: ['second_payment'],
  },
  {
    title: 'WeChat Pay: a refund that fails at the bank moves nothing, and is seen',
    told: () => [wechatPayment(), wechatRefund('ABNORMAL', 'R1', 3000n)],
    status: 'paid',
    attention: ['refund_abnormal'],
    events: ['order.attention refund_abnormal'],
  },
  {
    title: 'WeChat Pay: ABNORMAL, then SUCCESS',
    told: () => [
      wechatPayment(),
      wechatRefund('ABNORMAL', 'R1', 3000n),
      wechatRefund('SUCCESS', 'R1', 3000n),
    ],
    status: 'partially_refunded',
    refunded: 3000n,
  },
  {
    title: 'WeChat Pay: ABNORMAL, then CLOSED, then a new refund that succeeds',
    told: () => [
      wechatPayment(),
      wechatRefund('ABNORMAL', 'R1', 8888n),
      wechatRefund('CLOSED', 'R1', 8888n),
      wechatRefund('SUCCESS', 'R2', 8888n),
    ],
    status: 'refunded',
    refunded: 8888n,
  },
  {
    title: 'WeChat Pay: more refunded than paid',
    told: () => [
      wechatPayment(),
      wechatRefund('SUCCESS', 'R1', 5000n),
      wechatRefund('SUCCESS', 'R2', 5000n),
    ],
    status: 'refunded',
    refunded: 10_000n,
    attention: ['over_refund'],
  },
  {
    title: 'Alipay: TRADE_CLOSED by time-out closes',
    told: () => [timeOut('T1', minute(30))],
    status: 'closed',
    paid: 0n,
    primary: null,
    paidAt: null,
    events: ['order.closed closed'],
  },
  {
    title: 'Alipay: TRADE_CLOSED by full refund refunds, and closes nothing',
    told: () => [payment(), alipayRefund('R1', 8888n)],
    status: 'refunded',
    refunded: 8888n,
  },
  {
    title: 'Alipay: TRADE_FINISHED alone marks the order paid',
    told: () => [fromAlipay(alipay.finished(PAYMENT))],
    status: 'paid',
    events: ['order.paid paid'],
  },
  {
    title: 'Alipay: TRADE_FINISHED after TRADE_SUCCESS is the same payment',
    told: () => [payment(), fromAlipay(alipay.finished(PAYMENT))],
    status: 'paid',
  },
  {
    title: 'Alipay: paid after the trade was closed unpaid',
    told: () => [timeOut('T1', minute(0)), payment()],
    status: 'paid',
    attention: ['paid_late'],
  },
  {
    title: 'Alipay: closed after it was paid, which nobody can explain',
    told: () => [payment(), timeOut('T1', minute(30))],
    status: 'paid',
    attention: ['closed_though_paid'],
  },
  {
    title: 'one rail times out after the other one paid: nothing to see',
    told: () => [wechatPayment(), timeOut('unused', minute(30))],
    status: 'paid',
  },
  {
    title: 'paid twice: the earlier payment counts, the other is seen',
    told: () => [payment(), fromAlipay(alipay.payment(second))],
    status: 'paid',
    attention: ['second_payment'],
    events: ['order.paid paid', 'order.attention second_payment'],
  },
  {
    title: 'paid twice over two rails, and the surplus is refunded: the order stays paid',
    told: () => [
      payment(),
      fromWechat(wechat.payment(second)),
      wechatRefund('SUCCESS', 'R1', 8888n, 8888n, { trade: 'T2' }),
    ],
    status: 'paid',
    attention: ['second_payment'],
  },
  {
    title: 'a buyer who has not paid yet, and one whose payment failed, change nothing',
    told: () => [
      fromAlipay(alipay.waiting({ orderNumber: 'A1', trade: 'T1', amount: 8888n })),
      fromWechat(wechat.failed(PAYMENT)),
      fromWechatV2(wechatV2.failed(PAYMENT)),
    ],
    status: 'pending',
    paid: 0n,
    primary: null,
    paidAt: null,
  },
];
