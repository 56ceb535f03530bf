import { createHash } from 'node:crypto';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  acceptHeldEvent,
  rejectHeldEvent,
  retryEvent,
} from '@payonce/orders/notifications/held/operator';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { registerOrder } from '@payonce/orders/registration/register';
import type { PaymentEvent } from '@payonce/providers/event';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  orderRow,
  paid,
  payment,
  statement,
  terms,
  testDatabase,
  toldEvents,
} from './database-support.js';
import { fromWechatV2, ORDER, PAYMENT, wechatV2 } from './wire.js';

const ID = { notificationId: 'same' };
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const operator = { actor: 'li', reason: 'seen' };

/** One content under the ID, identified by its digest. */
const content = (
  name: string,
  events: PaymentEvent | readonly PaymentEvent[] = payment('A1', 'T1'),
  changes: Partial<VerifiedNotification> = {},
) => notification(events, { ...ID, digest: digest(name), ...changes });

const rows = ({ prisma }: DatabaseDeps) =>
  prisma.notification.findMany({
    orderBy: { id: 'asc' },
    include: { events: { orderBy: { position: 'asc' } } },
  });

const outcomes = async (deps: DatabaseDeps) =>
  (await rows(deps)).map(({ events }) =>
    events.map(({ outcome, holdReason }) => holdReason ?? outcome).join(),
  );

async function withOrder(): ReturnType<typeof testDatabase> {
  const deps = await testDatabase();
  await registerOrder(deps, terms('A1'));
  return deps;
}

describe('equal contents under one notification ID', () => {
  test('of an applied one the second is a duplicate, in a later batch or in the same one', async () => {
    const later = await withOrder();
    expect(await apply(later, content('a'))).toEqual([['applied']]);
    expect(await apply(later, content('b'), content('c'))).toEqual([['duplicate'], ['duplicate']]);
    expect(await toldEvents(later, 'A1')).toEqual(['order.paid paid@1']);

    const together = await withOrder();
    expect(await apply(together, content('b'), content('a'))).toEqual([['applied'], ['duplicate']]);
    expect(await toldEvents(together, 'A1')).toEqual(['order.paid paid@1']);
  });

  test('a content that comes again is a copy of its row', async () => {
    const deps = await withOrder();
    await apply(deps, content('a'), content('b'));
    await apply(deps, content('b'), content('a'), content('b'));
    expect(await rows(deps)).toMatchObject([{ copies: 1 }, { copies: 2 }]);
  });

  test('after the order was closed or paid otherwise, it is still a duplicate', async () => {
    const deps = await withOrder();
    await apply(deps, content('a', payment('A1', 'T1', { amount: 1n })));
    const [held] = await rows(deps);
    expect(await outcomes(deps)).toEqual(['amount_mismatch']);
    await acceptHeldEvent(deps, { ...operator, notification: held?.id ?? 0n, position: 0 });
    expect(await apply(deps, content('b', payment('A1', 'T1', { amount: 1n })))).toEqual([
      ['duplicate'],
    ]);
  });

  test('beside a held one the second is judged separately, and both are decided together', async () => {
    const deps = await testDatabase();
    expect(await apply(deps, content('a'))).toEqual([['unknown_order']]);
    expect(await apply(deps, content('b'))).toEqual([['unknown_order']]);
    await registerOrder(deps, terms('A1'));
    expect((await outcomes(deps)).sort()).toEqual(['applied', 'duplicate']);
    expect(await toldEvents(deps, 'A1')).toEqual(['order.paid paid@1']);
  });

  test('an applied one settles the held one beside it in the same transaction', async () => {
    const deps = await withOrder();
    await apply(deps, content('a'));
    // As the previous release left it: held, although its order exists.
    await deps.prisma.$executeRaw`
      UPDATE notification_events SET outcome = 'held', hold_reason = 'unsupported_event'`;
    await deps.prisma.$executeRaw`UPDATE notifications SET status = 'held'`;
    await deps.prisma.$executeRaw`DELETE FROM facts`;
    expect(await apply(deps, content('b'))).toEqual([['applied']]);
    expect(await outcomes(deps)).toEqual(['duplicate', 'applied']);
    expect((await rows(deps)).map(({ status }) => status)).toEqual(['duplicate', 'applied']);
  });

  test('the order of an event’s facts has no meaning', async () => {
    const deps = await withOrder();
    const facts = [
      paid('T1'),
      { kind: 'finished', rail: 'alipay', trade: 'T1', at: minute(3) } as const,
    ];
    await apply(deps, content('a', statement('A1', 'T1', facts)));
    expect(await apply(deps, content('b', statement('A1', 'T1', facts.toReversed())))).toEqual([
      ['duplicate'],
    ]);
  });

  test.each([
    ['another order', payment('A2', 'T1')],
    ['another trade', payment('A1', 'T2')],
    ['another amount', payment('A1', 'T1', { amount: 8889n })],
    ['another currency', payment('A1', 'T1', { currency: 'HKD' })],
    ['another payee', payment('A1', 'T1', { payeeMatches: false })],
    ['no signature', payment('A1', 'T1', { signed: false })],
    ['another amount paid', statement('A1', 'T1', [paid('T1', minute(1), 8889n)])],
    ['another time', statement('A1', 'T1', [paid('T1', minute(2))])],
    ['one fact more', statement('A1', 'T1', [paid('T1'), paid('T2')])],
    ['one event more', [payment('A1', 'T1'), payment('A2', 'T2')]],
  ])('%s is a conflict, in either order of arrival', async (_, other) => {
    const conflicts = Array.isArray(other) ? other.map(() => 'id_conflict') : ['id_conflict'];
    const deps = await withOrder();
    await apply(deps, content('a'));
    expect(await apply(deps, content('b', other))).toEqual([conflicts]);
    const reversed = await withOrder();
    await apply(reversed, content('b', other));
    expect(await apply(reversed, content('a'))).toEqual([['id_conflict']]);
    const together = await withOrder();
    expect((await apply(together, content('a'), content('b', other)))[1]).toEqual(conflicts);
  });

  test('without a fact only the digest makes contents equal', async () => {
    const deps = await withOrder();
    const event: PaymentEvent = { kind: 'unsupported', orderNumber: 'A1', says: 'NEW' };
    expect(await apply(deps, content('a', event), content('b', event))).toEqual([
      ['unsupported_event'],
      ['id_conflict'],
    ]);
    const nothing: PaymentEvent = { kind: 'nothing', orderNumber: 'A1', says: 'WAIT_BUYER_PAY' };
    const other = await withOrder();
    expect(await apply(other, content('a', nothing), content('b', nothing))).toEqual([
      ['ignored'],
      ['id_conflict'],
    ]);
  });

  test('all events of a message are compared, and each is decided by its counterpart', async () => {
    const deps = await withOrder();
    const both = [payment('A1', 'T1'), payment('A2', 'T2')];
    expect(await apply(deps, content('a', both))).toEqual([['applied', 'unknown_order']]);
    expect(await apply(deps, content('b', both))).toEqual([['duplicate', 'unknown_order']]);
    expect(await apply(deps, content('c', both.toReversed()))).toEqual([
      ['id_conflict', 'id_conflict'],
    ]);
    await registerOrder(deps, terms('A2'));
    expect((await outcomes(deps)).slice(0, 2).sort()).toEqual([
      'applied,applied',
      'duplicate,duplicate',
    ]);
  });

  test('the outcomes of a message keep the order of its events, whichever of them are duplicates', async () => {
    const deps = await withOrder();
    const three = [payment('A0', 'T0'), payment('A1', 'T1'), payment('A2', 'T2')];
    expect(await apply(deps, content('a', three))).toEqual([
      ['unknown_order', 'applied', 'unknown_order'],
    ]);
    await deps.prisma.order.create({
      data: { ...terms('A2'), createdAt: minute(0), updatedAt: minute(0) },
    });
    expect(await apply(deps, content('b', three))).toEqual([
      ['unknown_order', 'duplicate', 'applied'],
    ]);
    expect(await outcomes(deps)).toEqual([
      'unknown_order,applied,duplicate',
      'unknown_order,duplicate,applied',
    ]);
  });

  test('equal to a conflict is a conflict, until a person accepts one of them', async () => {
    const deps = await withOrder();
    const other = payment('A1', 'T2');
    await apply(deps, content('a'));
    expect(await apply(deps, content('b', other), content('c', other))).toEqual([
      ['id_conflict'],
      ['id_conflict'],
    ]);
    const [, second, third] = await rows(deps);
    await acceptHeldEvent(deps, { ...operator, notification: second?.id ?? 0n, position: 0 });
    expect(await apply(deps, content('d', other))).toEqual([['duplicate']]);
    await retryEvent(deps, { ...operator, notification: third?.id ?? 0n, position: 0 });
    expect(await outcomes(deps)).toEqual(['applied', 'applied', 'duplicate', 'duplicate']);
  });

  test('content equal to a rejected one is not applied', async () => {
    const deps = await testDatabase();
    await apply(deps, content('a'));
    const [held] = await rows(deps);
    await rejectHeldEvent(deps, { ...operator, notification: held?.id ?? 0n, position: 0 });
    await registerOrder(deps, terms('A1'));
    expect(await apply(deps, content('b'))).toEqual([['id_conflict']]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending' });
  });

  test('concurrent workers: one applied, the others duplicates, many times', async () => {
    const deps = await testDatabase();
    for (let round = 0; round < 15; round += 1) {
      const number = `R${round}`;
      await registerOrder(deps, terms(number));
      const one = (name: string) =>
        content(`${number} ${name}`, payment(number), { notificationId: number });
      const all = await Promise.all(
        ['a', 'b', 'c', 'd'].map((name) => apply(deps, one(name), one(`${name}2`))),
      );
      expect(all.flat(2).sort()).toEqual(['applied', ...Array(7).fill('duplicate')]);
      expect(await toldEvents(deps, number)).toEqual(['order.paid paid@1']);
    }
  });
});

describe('a content has two digests', () => {
  const former = (name: string) => ({ notificationId: 'same', digest: digest(`former ${name}`) });

  test('the row keeps the former one for workers of the previous release, and the one of the text', async () => {
    const deps = await withOrder();
    await apply(deps, content('a', undefined, { former: former('a') }));
    await apply(deps, content('b', payment('A1', 'T2'), { former: former('b') }));
    expect(await rows(deps)).toMatchObject([
      { variant: '', digest: former('a').digest, textDigest: digest('a') },
      { variant: former('b').digest, digest: former('b').digest, textDigest: digest('b') },
    ]);
  });

  test('any number of cuts of one text is one row, whatever the former digests', async () => {
    const deps = await withOrder();
    const cuts = Array.from({ length: 20 }, (_, cut) =>
      content('a', undefined, { former: former(`cut ${cut}`) }),
    );
    await apply(deps, ...cuts.slice(0, 10));
    await apply(deps, ...cuts.slice(10));
    expect(await rows(deps)).toMatchObject([{ copies: 19, textDigest: digest('a') }]);
  });

  test('a row of the previous release is judged by the former one', async () => {
    const deps = await withOrder();
    const one = content('a', undefined, { former: former('a') });
    await apply(deps, one);
    await deps.prisma.$executeRaw`UPDATE notifications SET text_digest = NULL`;
    expect(await apply(deps, one)).toEqual([['applied']]);
    expect(await rows(deps)).toMatchObject([{ copies: 1 }]);
    expect(await apply(deps, { ...one, former: former('another cut') })).toEqual([['duplicate']]);
    await apply(deps, { ...one, former: former('a third cut') });
    expect(await rows(deps)).toMatchObject([{ copies: 1 }, { copies: 1 }]);
  });

  test('a row under its former ID keeps that ID', async () => {
    const deps = await withOrder();
    const one = content('a', undefined, { former: { ...former('a'), notificationId: 'former' } });
    await apply(deps, { ...one, ...one.former, former: null });
    await deps.prisma.$executeRaw`UPDATE notifications SET text_digest = NULL`;
    expect(await apply(deps, one, one)).toEqual([['applied'], ['applied']]);
    expect(await rows(deps)).toMatchObject([{ notificationId: 'former', copies: 2 }]);
  });

  test('two texts with one former digest are two contents', async () => {
    const deps = await withOrder();
    await apply(deps, content('a', undefined, { former: former('a') }));
    const one = content('b', payment('A1', 'T2'), { former: former('a') });
    const two = content('c', payment('A1', 'T3'), { former: former('a') });
    expect(await apply(deps, one, two)).toEqual([['id_conflict'], ['id_conflict']]);
    await apply(deps, one, two);
    expect(await rows(deps)).toMatchObject([{ copies: 0 }, { copies: 1 }, { copies: 1 }]);
  });
});

describe('contents that are encrypted and not signed', () => {
  const unsigned = (name: string, changes: Partial<VerifiedNotification> = {}) =>
    content(name, payment('A1', `T-${name}`, { signed: false }), {
      authenticity: 'encrypted',
      ...changes,
    });

  test('are stored five times under one ID; the others are counted', async () => {
    const deps = await withOrder();
    const names = Array.from({ length: 40 }, (_, place) => `u${place}`);
    await apply(deps, ...names.slice(0, 20).map((name) => unsigned(name)));
    const last = await apply(deps, ...names.slice(20).map((name) => unsigned(name)));
    expect(last).toEqual(Array(20).fill([]));
    expect(await rows(deps)).toMatchObject([
      { copies: 35, status: 'held' },
      ...Array(4).fill({ copies: 0 }),
    ]);
    // Copies of a stored one count for its row.
    await apply(deps, unsigned('u4'));
    expect((await rows(deps)).map(({ copies }) => copies)).toEqual([35, 0, 0, 0, 1]);
  });

  test('never exclude a signed one', async () => {
    const deps = await withOrder();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await apply(deps, unsigned(name));
    expect(await apply(deps, content('signed'))).toEqual([['id_conflict']]);
    expect(await rows(deps)).toHaveLength(6);
  });

  test('a rejected one frees its place', async () => {
    const deps = await withOrder();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await apply(deps, unsigned(name));
    const [, second] = await rows(deps);
    await rejectHeldEvent(deps, { ...operator, notification: second?.id ?? 0n, position: 0 });
    expect(await apply(deps, unsigned('f'))).toEqual([['id_conflict']]);
    expect(await apply(deps, unsigned('g'))).toEqual([[]]);
    expect(await rows(deps)).toHaveLength(6);
  });
});

describe('a payment of WeChat Pay v2 that is repeated with', () => {
  const told = (changes: readonly (readonly [string, string])[]) =>
    fromWechatV2(wechatV2.payment({ ...PAYMENT, changes }));
  const first = told([['is_subscribe', 'N']]);

  test.each([
    ['another is_subscribe', told([['is_subscribe', 'Y']])],
    ['another bank_type', told([['bank_type', 'CFT']])],
  ])('%s is a duplicate, in either order of arrival', async (_, other) => {
    expect(other.notificationId).toBe(first.notificationId);
    expect(other.digest).not.toBe(first.digest);
    for (const [one, two] of [
      [first, other],
      [other, first],
    ] as const) {
      const deps = await testDatabase();
      await registerOrder(deps, ORDER);
      expect(await apply(deps, one)).toEqual([['applied']]);
      expect(await apply(deps, two)).toEqual([['duplicate']]);
    }
  });
});
