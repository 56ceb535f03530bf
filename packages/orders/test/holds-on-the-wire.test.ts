/** Every hold reason, from the providers' real bytes. */

import { HOLD_REASONS, type HoldReason } from '@payonce/orders/database/hold-reason';
import { applyAll } from '@payonce/orders/notifications/apply/apply-in-parts';
import { acceptHeldEvent } from '@payonce/orders/notifications/held/operator';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { closeOrder, registerOrder } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import { minute, type TestDatabase, testDatabase } from './database-support.js';
import {
  alipay,
  fromAlipay,
  fromWechat,
  fromWechatV2,
  ORDER,
  PAYMENT,
  refund,
  wechat,
  wechatV2,
} from './wire.js';

const otherAmount = { ...PAYMENT, amount: 1n };
const dollars = { amount: { total: 8888, payer_total: 8888, currency: 'USD' } };

interface Case {
  readonly of: string;
  readonly told: () => readonly VerifiedNotification[];
  /** Runs first. */
  readonly given?: (deps: TestDatabase) => Promise<unknown>;
}

const cases: Readonly<Record<HoldReason, readonly Case[]>> = {
  unknown_order: [
    { of: 'Alipay', told: () => [fromAlipay(alipay.payment({ ...PAYMENT, orderNumber: 'X' }))] },
    { of: 'v3', told: () => [fromWechat(wechat.payment({ ...PAYMENT, orderNumber: 'X' }))] },
    { of: 'v2', told: () => [fromWechatV2(wechatV2.payment({ ...PAYMENT, orderNumber: 'X' }))] },
  ],
  amount_mismatch: [
    { of: 'Alipay', told: () => [fromAlipay(alipay.payment(otherAmount))] },
    { of: 'v3', told: () => [fromWechat(wechat.payment(otherAmount))] },
    { of: 'v2', told: () => [fromWechatV2(wechatV2.payment(otherAmount))] },
  ],
  currency_mismatch: [
    {
      of: 'Alipay',
      told: () => [
        fromAlipay(alipay.payment({ ...PAYMENT, changes: [['trans_currency', 'USD']] })),
      ],
    },
    { of: 'v3', told: () => [fromWechat(wechat.payment({ ...PAYMENT, changes: dollars }))] },
    {
      of: 'v2',
      told: () => [fromWechatV2(wechatV2.payment({ ...PAYMENT, changes: [['fee_type', 'USD']] }))],
    },
  ],
  merchant_mismatch: [
    {
      of: 'Alipay, another seller',
      told: () => [
        fromAlipay(alipay.payment({ ...PAYMENT, changes: [['seller_id', '2088999999999999']] })),
      ],
    },
    {
      of: 'Alipay, another app',
      told: () => [
        fromAlipay(alipay.payment({ ...PAYMENT, changes: [['app_id', '2021999999999999']] })),
      ],
    },
    {
      of: 'v3, another merchant',
      told: () => [fromWechat(wechat.payment({ ...PAYMENT, changes: { mchid: '1999999999' } }))],
    },
    {
      of: 'v2, another merchant',
      told: () => [
        fromWechatV2(wechatV2.payment({ ...PAYMENT, changes: [['mch_id', '1999999999']] })),
      ],
    },
  ],
  trade_on_other_order: [
    {
      of: 'Alipay',
      given: async (deps) => {
        await registerOrder(deps, { ...ORDER, number: 'first' });
        await applyAll(deps, [fromAlipay(alipay.payment({ ...PAYMENT, orderNumber: 'first' }))]);
      },
      told: () => [fromAlipay(alipay.payment(PAYMENT))],
    },
  ],
  id_conflict: [
    {
      of: 'Alipay',
      told: () => [
        fromAlipay(
          alipay.waiting({
            orderNumber: 'A1',
            trade: 'T1',
            amount: 8888n,
            notificationId: 'same',
          }),
        ),
        fromAlipay(alipay.payment({ ...PAYMENT, notificationId: 'same' })),
      ],
    },
    {
      of: 'v3',
      told: () => [
        fromWechat(wechat.failed({ ...PAYMENT, notificationId: 'same' })),
        fromWechat(wechat.payment({ ...PAYMENT, notificationId: 'same' })),
      ],
    },
  ],
  unsupported_event: [
    {
      of: 'Alipay, a platform message',
      told: () => [
        fromAlipay(
          alipay.platformMessage({ method: 'alipay.fund.trans.order.changed', content: {} }),
        ),
      ],
    },
    {
      of: 'Alipay, an amount smuggled into a text',
      told: () => [fromAlipay(alipay.payment({ ...PAYMENT, text: 'x&total_amount=88.88' }))],
    },
    {
      of: 'v3, an event type from tomorrow',
      told: () => [fromWechat(wechat.event({ eventType: 'PAYSCORE.USER_PAID', resource: {} }))],
    },
  ],
  unconfirmed: [
    { of: 'v2, a refund', told: () => [fromWechatV2(wechatV2.refund(refund('R1', 100n)))] },
  ],
  internal_error: [
    {
      of: 'any, while the transaction fails for it',
      given: (deps) =>
        deps.prisma.$executeRaw`ALTER TABLE order_events ADD CONSTRAINT broken CHECK (version < 0)`,
      told: () => [fromAlipay(alipay.payment(PAYMENT))],
    },
  ],
};

async function heldReasons({ prisma }: TestDatabase) {
  const held = await prisma.notificationEvent.findMany({ where: { outcome: 'held' } });
  return held.map(({ holdReason }) => holdReason);
}

const orderOf = ({ prisma }: TestDatabase, number: string) =>
  prisma.order.findUniqueOrThrow({ where: { merchant_number: { merchant: 'demo', number } } });

describe.each(HOLD_REASONS)('%s', (reason) => {
  test.each(cases[reason])('$of: held, with its bytes, and its order is unchanged', async (one) => {
    const deps = await testDatabase();
    await registerOrder(deps, ORDER);
    await one.given?.(deps);
    const told = one.told();
    await applyAll(deps, told);
    expect(await heldReasons(deps)).toEqual([reason]);
    expect(await orderOf(deps, 'A1')).toMatchObject({ status: 'pending', version: 0 });
    const stored = await deps.prisma.notification.findFirstOrThrow({ where: { status: 'held' } });
    expect(Buffer.from(stored.body)).toEqual(told.at(-1)?.body);
  });
});

describe('combined orders', () => {
  test('with one unknown sub-order: the others are paid at once, the missing one when it is registered', async () => {
    const deps = await testDatabase();
    const numbers = ['A1', 'A2', 'A3'];
    for (const number of ['A1', 'A3']) await registerOrder(deps, { ...ORDER, number });
    const combined = fromWechat(
      wechat.combined({
        combinedOrderNumber: 'C1',
        paidAt: minute(1),
        orders: numbers.map((number, n) => ({
          orderNumber: number,
          trade: `T${n}`,
          amount: 8888n,
        })),
      }),
    );
    await applyAll(deps, [combined]);
    expect(await deps.prisma.order.count({ where: { status: 'paid' } })).toBe(2);
    expect(await heldReasons(deps)).toEqual(['unknown_order']);
    expect(await registerOrder(deps, { ...ORDER, number: 'A2' })).toMatchObject({
      released: 1,
      order: { status: 'paid' },
    });
    await applyAll(deps, [combined]);
    expect(await deps.prisma.order.count({ where: { status: 'paid', version: 1 } })).toBe(3);
  });
});

describe("v2's unsigned refunds", () => {
  const told = () => fromWechatV2(wechatV2.refund(refund('R1', 100n)));

  test('are released as duplicates once v3 has stated the same', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, ORDER);
    await applyAll(deps, [fromWechat(wechat.payment(PAYMENT)), told()]);
    expect(await heldReasons(deps)).toEqual(['unconfirmed']);
    await applyAll(deps, [fromWechat(wechat.refund(refund('R1', 100n)))]);
    deps.now = minute(2);
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
    expect(await orderOf(deps, 'A1')).toMatchObject({
      status: 'partially_refunded',
      refundedAmount: 100n,
      version: 2,
    });
  });

  test.each([
    ['SUCCESS', 'partially_refunded', 100n, []],
    ['CHANGE', 'paid', 0n, ['refund_abnormal']],
    ['REFUNDCLOSE', 'paid', 0n, []],
  ] as const)('%s, accepted by an operator: %s', async (status, becomes, refunded, attention) => {
    const deps = await testDatabase();
    await registerOrder(deps, ORDER);
    const notice = fromWechatV2(wechatV2.refund({ ...refund('R1', 100n), status }));
    await applyAll(deps, [fromWechatV2(wechatV2.payment(PAYMENT)), notice]);
    const { id } = await deps.prisma.notification.findFirstOrThrow({ where: { status: 'held' } });
    const operator = { actor: 'lin', reason: 'seen at WeChat Pay' };
    await acceptHeldEvent(deps, { ...operator, notification: id, position: 0 });
    expect(await orderOf(deps, 'A1')).toMatchObject({
      status: becomes,
      refundedAmount: refunded,
      attention,
    });
  });
});

describe("the merchant's close", () => {
  test.each([
    ['before the payment: paid_late', minute(0), 'paid_late'],
    ['after the payment, which was told late: closed_though_paid', minute(5), 'closed_though_paid'],
  ])('%s', async (_when, closedAt, flag) => {
    const deps = await testDatabase();
    await registerOrder(deps, ORDER);
    deps.now = closedAt;
    await closeOrder(deps, ORDER);
    await applyAll(deps, [fromAlipay(alipay.payment(PAYMENT))]);
    expect(await orderOf(deps, 'A1')).toMatchObject({ status: 'paid', attention: [flag] });
  });
});
