import { registerOrder } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import { apply, notification, orderRow, payment, terms, testDatabase } from './database-support.js';

describe('id_conflict', () => {
  const first = notification(payment('A1', 'T1'), { notificationId: 'same' });
  const other = notification(payment('A1', 'T2'), { notificationId: 'same' });

  test('other content under a known ID is held beside it, and never applied', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    expect(await apply(deps, first)).toEqual([['applied']]);
    expect(await apply(deps, other, other, first)).toEqual([
      ['id_conflict'],
      ['id_conflict'],
      ['applied'],
    ]);
    const rows = await deps.prisma.notification.findMany({ orderBy: { id: 'asc' } });
    expect(rows).toMatchObject([
      { variant: '', status: 'applied', copies: 1 },
      { variant: other.digest, status: 'held', copies: 1 },
    ]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ attention: [], version: 1 });
  });

  test('both in one batch: the first one counts', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    expect(await apply(deps, other, first)).toEqual([['applied'], ['id_conflict']]);
  });

  test('both at once, many times: one is applied, the other held', async () => {
    const deps = await testDatabase();
    for (let round = 0; round < 20; round += 1) {
      const number = `R${round}`;
      await registerOrder(deps, terms(number));
      const id = { notificationId: number };
      const outcomes = await Promise.all([
        apply(deps, notification(payment(number, `${number}a`), id)),
        apply(deps, notification(payment(number, `${number}b`), id)),
      ]);
      expect(outcomes.flat(2).sort()).toEqual(['applied', 'id_conflict']);
    }
  });

  test('the same ID on another channel is another notification', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await apply(deps, first);
    expect(await apply(deps, { ...other, channel: 'second-shop' })).toEqual([['applied']]);
  });
});
