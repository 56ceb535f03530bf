/** Events held for every possible reason, and the operator who decides about them. */
import type { HoldReason } from '@payonce/orders/database/hold-reason';
import { registerOrder } from '@payonce/orders/registration/register';
import type { Fact } from '@payonce/providers/fact';
import { expect } from 'vitest';
import {
  apply,
  minute,
  notification,
  paid,
  payment,
  statement,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';

export const operator = { actor: 'lin', reason: 'seen on the statement' };

/** One held event of the only notification with a held one, unless another is named. */
export async function command(deps: TestDatabase, position = 0) {
  const row = await deps.prisma.notification.findFirstOrThrow({
    where: { status: 'held' },
    orderBy: { id: 'desc' },
  });
  return { ...operator, notification: row.id, position };
}

export const auditRows = ({ prisma }: TestDatabase) =>
  prisma.auditLog.findMany({ orderBy: { id: 'asc' } });

export const refundOf = (trade: string, amount: bigint): Fact[] => [
  { kind: 'paid', rail: 'wechat', trade, amount: 8888n, at: null },
  {
    kind: 'refund',
    rail: 'wechat',
    trade,
    refundId: 'R',
    status: 'SUCCESS',
    amount,
    at: minute(3),
  },
];
export const unsigned = (number: string, trade: string, amount: bigint) =>
  statement(number, trade, refundOf(trade, amount), { rail: 'wechat', signed: false });

/** Makes the database hold an event of order A1 for this reason. */
const heldFor: Record<HoldReason, (deps: TestDatabase) => Promise<unknown>> = {
  unknown_order: (deps) => apply(deps, notification(payment('unknown'))),
  amount_mismatch: (deps) =>
    apply(deps, notification(statement('A1', 'T', [paid('T', minute(1), 1n)], { amount: 1n }))),
  currency_mismatch: (deps) => apply(deps, notification(payment('A1', 'T', { currency: 'USD' }))),
  merchant_mismatch: (deps) =>
    apply(deps, notification(payment('A1', 'T', { payeeMatches: false }))),
  trade_on_other_order: async (deps) => {
    await registerOrder(deps, terms('other'));
    await apply(deps, notification(payment('other', 'T')), notification(payment('A1', 'T')));
  },
  id_conflict: (deps) =>
    apply(
      deps,
      notification({ kind: 'nothing', orderNumber: 'A1', says: 'X' }, { notificationId: 'same' }),
      notification(payment('A1', 'T'), { notificationId: 'same' }),
    ),
  unsupported_event: (deps) =>
    apply(deps, notification({ kind: 'unsupported', orderNumber: 'A1', says: 'X' })),
  unconfirmed: (deps) => apply(deps, notification(unsigned('A1', 'T', 100n))),
  internal_error: async (deps) => {
    await apply(deps, notification(payment('unknown')));
    await deps.prisma.notificationEvent.updateMany({ data: { holdReason: 'internal_error' } });
  },
};

export async function heldDatabase(reason: HoldReason): Promise<TestDatabase> {
  const deps = await testDatabase();
  await registerOrder(deps, terms('A1'));
  await heldFor[reason](deps);
  expect(
    await deps.prisma.notificationEvent.findMany({ where: { outcome: 'held' } }),
  ).toMatchObject([{ holdReason: reason }]);
  return deps;
}
