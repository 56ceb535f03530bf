import { readReportedTotals } from '@payonce/orders/reports/copy-rows';
import { until } from '@payonce/testkit/machine/poll';
import { type Random, seededRandom } from '@payonce/testkit/machine/random';
import { alipayFields, alipayRequest } from '@payonce/testkit/signers/alipay-wire';
import type { Fields, SignedRequest } from '@payonce/testkit/signers/request';
import {
  wechatV2Fields,
  wechatV2Request,
  wechatV2Xml,
} from '@payonce/testkit/signers/wechatpay-v2-wire';
import { expect, onTestFinished, test } from 'vitest';
import { closeShop, DUE, openShop, type Shop } from './shop.js';

/** An attacker who captured one message needs no key to send it in many cuts and envelopes. */

const IS_FULL = process.env.PAYONCE_TEST_FULL === '1';
const COPIES = IS_FULL ? 10_000 : 200;
/** Concurrent requests. */
const SENDERS = 20;
const LIMIT_MS = IS_FULL ? 300_000 : 20_000;
const paidAt = new Date('2026-11-01T02:00:00Z');

/**
 * The same signed text in other cuts: the separator between two fields becomes part of the first
 * one's value.
 */
function recut(fields: Fields, unsigned: readonly string[], { between, shuffled }: Random): Fields {
  const isApart = ([name, value]: Fields[number]) => unsigned.includes(name) || value === '';
  const signed = fields.filter((one) => !isApart(one)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const glue = between(2, 7);
  const cut: [string, string][] = [];
  for (const [name, value] of signed) {
    const before = cut.at(-1);
    if (before && between(1, glue) === 1) before[1] += `&${name}=${value}`;
    else cut.push([name, value]);
  }
  return shuffled([...cut, ...fields.filter(isApart)]);
}

function otherCuts(shop: Shop) {
  const { 'sim-alipay': alipay, 'sim-wechat-v2': wechat } = shop.signers;
  const payment = { amount: DUE, paidAt };
  const notices = {
    alipay: alipay.payment({ ...payment, orderNumber: 'A1', trade: 'TA' }),
    payment: wechat.payment({ ...payment, orderNumber: 'W1', trade: 'TW' }),
    refund: wechat.refund({
      ...{ ...payment, orderNumber: 'W1', trade: 'TW', full: true },
      ...{ refundId: 'RW', refundAmount: DUE, refundedTotal: DUE, refundedAt: paidAt },
    }),
  };
  const fields = {
    alipay: alipayFields(notices.alipay),
    payment: wechatV2Fields(notices.payment),
    refund: wechatV2Fields(notices.refund),
  };
  const cuts: Record<keyof typeof notices, (random: Random) => SignedRequest> = {
    alipay: (random) => alipayRequest(recut(fields.alipay, ['sign', 'sign_type'], random)),
    payment: (random) => wechatV2Request(wechatV2Xml(recut(fields.payment, ['sign'], random))),
    refund: ({ between, shuffled }) => {
      const note = ['note', `x${between(0, 999_999)}`] as const;
      const nonce = ['nonce_str', `n${between(0, 999_999)}`] as const;
      const wrapped = fields.refund.filter(([name]) => name !== 'nonce_str');
      return wechatV2Request(wechatV2Xml(shuffled([...wrapped, note, nonce])));
    },
  };
  return { notices, cuts };
}

const CHANNELS = {
  alipay: 'sim-alipay',
  payment: 'sim-wechat-v2',
  refund: 'sim-wechat-v2',
} as const;
const KINDS = ['alipay', 'payment', 'refund'] as const;

test(
  'recuts and re-wrappings of one message, before and after it, are that message and nothing else',
  async () => {
    const shop = await openShop('redis');
    onTestFinished(() => closeShop(shop));
    for (const number of ['A1', 'W1']) await shop.register(number);
    const { notices, cuts } = otherCuts(shop);
    const statuses: Record<string, number> = {};
    const post = async (kind: (typeof KINDS)[number], request: SignedRequest) => {
      const { status } = await shop.post(CHANNELS[kind], request);
      const name = `${kind} ${status}`;
      statuses[name] = (statuses[name] ?? 0) + 1;
      return status;
    };
    const random = seededRandom(1);
    const sendCuts = async (count: number) => {
      const requests = Array.from({ length: count }, () =>
        KINDS.map((kind) => [kind, cuts[kind](random)] as const),
      ).flat();
      let next = 0;
      await Promise.all(
        Array.from({ length: SENDERS }, async () => {
          for (let one = requests[next++]; one; one = requests[next++]) await post(one[0], one[1]);
        }),
      );
    };
    await sendCuts(COPIES / 5);
    for (const kind of KINDS) expect(await post(kind, notices[kind])).toBe(200);
    await sendCuts((COPIES * 4) / 5);
    await until('all to be settled', LIMIT_MS, async () => {
      const ids = (await shop.prisma.notification.findMany()).map(({ id }) => id);
      const totals = [...(await readReportedTotals(shop.prisma, ids)).values()];
      const accepted = Object.entries(statuses).reduce(
        (sum, [name, count]) => sum + (name.endsWith(' 200') ? count : 0),
        0,
      );
      return totals.reduce((sum, { count }) => sum + count, 0) === accepted;
    });
    const rows = await shop.prisma.notification.findMany({
      orderBy: { notificationId: 'asc' },
      include: { events: true },
    });
    if (IS_FULL) console.log({ statuses, rows: rows.length });
    expect(
      rows.map(({ status, variant, events }) => [
        status,
        variant,
        events.map(({ outcome, holdReason }) => holdReason ?? outcome),
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['applied', '', ['applied']],
        ['applied', '', ['applied']],
        ['held', '', ['unconfirmed']],
      ]),
    );
    expect(rows).toHaveLength(3);
    const told = await shop.prisma.orderEvent.findMany({ orderBy: { type: 'asc' } });
    expect(told.map(({ type, milestone }) => `${type} ${milestone}`)).toEqual([
      'notification.held unconfirmed',
      'order.paid paid',
      'order.paid paid',
    ]);
    const orders = await shop.prisma.order.findMany({ orderBy: { number: 'asc' } });
    expect(orders).toMatchObject([
      {
        number: 'A1',
        status: 'paid',
        primaryTrade: 'TA',
        paidAmount: DUE,
        attention: [],
        paidAt,
      },
      {
        number: 'W1',
        status: 'paid',
        primaryTrade: 'TW',
        paidAmount: DUE,
        attention: [],
        paidAt,
      },
    ]);
    expect(await shop.prisma.deadLetter.count()).toBe(0);
    // The cuts were accepted as the message itself: the edge refused none of them.
    for (const kind of KINDS) expect(statuses[`${kind} 200`] ?? 0).toBeGreaterThan(COPIES / 4);
  },
  LIMIT_MS + 60_000,
);
