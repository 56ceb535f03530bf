import { createHash } from 'node:crypto';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { rejectHeldEvent } from '@payonce/orders/notifications/held/operator';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { findHeldMessages } from '@payonce/orders/notifications/redecode/held-messages';
import {
  candidatesOf,
  type DecodeStored,
  redecodeStep,
  UPGRADE,
} from '@payonce/orders/notifications/redecode/redecode';
import {
  executeRedecode,
  planRedecode,
} from '@payonce/orders/notifications/redecode/redecode-plan';
import {
  type Redecoded,
  redecodeTogether,
} from '@payonce/orders/notifications/redecode/redecode-together';
import { registerOrder } from '@payonce/orders/registration/register';
import type { PaymentEvent } from '@payonce/providers/event';
import { describe, expect, test } from 'vitest';
import {
  apply,
  notification,
  orderRow,
  payment,
  terms,
  testDatabase,
  toldEvents,
} from './database-support.js';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const ambiguous: PaymentEvent = { kind: 'unsupported', orderNumber: 'A1', says: 'ambiguous' };

/**
 * A message of the previous release, identified by its body: that release decoded it as `events`.
 */
const former = (
  body: string,
  events: PaymentEvent | readonly PaymentEvent[],
  changes: Partial<VerifiedNotification> = {},
) =>
  notification(events, {
    notificationId: 'same',
    digest: digest(body),
    body: Buffer.from(body),
    ...changes,
  });

async function testFormer(...batch: VerifiedNotification[]) {
  const deps = await testDatabase();
  await registerOrder(deps, terms('A1'));
  for (const one of batch) await apply(deps, one);
  await deps.prisma.$executeRaw`UPDATE notifications SET text_digest = NULL`;
  return deps;
}

/**
 * The present release's decoding of these bodies: the digest of the text before the colon, and
 * events.
 */
const seeing =
  (events: Readonly<Record<string, readonly PaymentEvent[]>>): DecodeStored =>
  ({ body }) => {
    const text = body.toString();
    const seen = events[text];
    return seen ? { digest: digest(text.split(':')[0] ?? ''), events: seen } : null;
  };

const outcomes = async ({ prisma }: DatabaseDeps) =>
  (
    await prisma.notificationEvent.findMany({
      orderBy: [{ notificationRowId: 'asc' }, { position: 'asc' }],
    })
  ).map(({ outcome, holdReason }) => holdReason ?? outcome);

const run = async (deps: DatabaseDeps, decode: DecodeStored, limit = 50) =>
  (await redecodeStep(deps, limit, 0n, decode)).results.map(({ result }) => result);

describe('held events of the previous release', () => {
  test('are decoded from their bytes and decided again, once', async () => {
    const deps = await testFormer(former('a', ambiguous));
    const decode = seeing({ a: [payment('A1', 'T1')] });
    expect(await run(deps, decode)).toEqual(['decoded']);
    expect(await outcomes(deps)).toEqual(['applied']);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid', version: 1 });
    expect(await deps.prisma.notification.findFirst()).toMatchObject({
      status: 'applied',
      digest: digest('a'),
      textDigest: digest('a'),
    });
    expect(await deps.prisma.auditLog.findMany()).toMatchObject([
      { actor: 'system', action: 'event.retry', detail: { decodedAgain: true } },
    ]);
    expect(await run(deps, decode)).toEqual([]);
  });

  test('an event that stays held keeps its reason, creates no order event, and is not decoded again', async () => {
    const deps = await testFormer(former('a', ambiguous));
    const decode = seeing({ a: [ambiguous] });
    const told = () => deps.prisma.orderEvent.count();
    const before = await told();
    expect(await run(deps, decode)).toEqual(['decoded']);
    expect(await outcomes(deps)).toEqual(['unsupported_event']);
    expect(await told()).toBe(before);
    expect(await run(deps, decode)).toEqual([]);
  });

  test('a conflict whose text is the applied one’s ends as a duplicate, and later cuts are copies', async () => {
    const deps = await testFormer(
      former('a:1', payment('A1', 'T1')),
      former('a:2', ambiguous),
      former('a:3', ambiguous),
    );
    expect(await outcomes(deps)).toEqual(['applied', 'id_conflict', 'id_conflict']);
    const events = [payment('A1', 'T1')];
    const decode = seeing({ 'a:1': events, 'a:2': events, 'a:3': events });
    expect(await run(deps, decode)).toEqual(['decoded', 'decoded']);
    expect(await outcomes(deps)).toEqual(['applied', 'duplicate', 'duplicate']);
    expect(await toldEvents(deps, 'A1')).toEqual(['order.paid paid@1']);
    const cut = former('a:4', payment('A1', 'T1'), {
      digest: digest('a'),
      former: { notificationId: 'same', digest: digest('a:4') },
    });
    await apply(deps, cut);
    expect(await deps.prisma.notification.findFirst({ orderBy: { id: 'asc' } })).toMatchObject({
      variant: '',
      copies: 1,
    });
  });

  test('a conflict with equal events ends as a duplicate; one with different events stays', async () => {
    const deps = await testFormer(
      former('a', payment('A1', 'T1')),
      former('b', payment('A1', 'T2')),
      former('c', payment('A1', 'T3')),
    );
    const decode = seeing({
      a: [payment('A1', 'T1')],
      b: [payment('A1', 'T1')],
      c: [payment('A1', 'T3')],
    });
    expect(await run(deps, decode)).toEqual(['decoded', 'decoded']);
    expect(await outcomes(deps)).toEqual(['applied', 'duplicate', 'id_conflict']);
  });

  test('a first content with erased bytes is compared by its stored events', async () => {
    const deps = await testFormer(
      former('a', payment('A1', 'T1')),
      former('b', payment('A1', 'T1', { payeeMatches: false })),
    );
    await deps.prisma.$executeRaw`
      UPDATE notifications SET body = '', headers = '{}', purged_at = now() WHERE variant = ''`;
    expect(await run(deps, seeing({ b: [payment('A1', 'T1')] }))).toEqual(['decoded']);
    expect(await outcomes(deps)).toEqual(['applied', 'duplicate']);
  });

  test('a hostile cut that came first is replaced: it and the genuine one are one payment', async () => {
    const deps = await testFormer(former('a:cut', ambiguous), former('a', payment('A1', 'T1')));
    expect(await outcomes(deps)).toEqual(['unsupported_event', 'id_conflict']);
    const events = [payment('A1', 'T1')];
    await run(deps, seeing({ 'a:cut': events, a: events }));
    expect((await outcomes(deps)).sort()).toEqual(['applied', 'duplicate']);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid', version: 1 });
  });

  test('events that the previous release did not find are added, and decided', async () => {
    const deps = await testFormer(former('a', ambiguous));
    await registerOrder(deps, terms('A2'));
    await run(deps, seeing({ a: [payment('A1', 'T1'), payment('A2', 'T2')] }));
    expect(await outcomes(deps)).toEqual(['applied', 'applied']);
    expect(await orderRow(deps, 'A2')).toMatchObject({ status: 'paid' });
  });

  test('a message that is no longer valid, or has fewer events, stays unchanged and is counted', async () => {
    const deps = await testFormer(
      former('a', [ambiguous, ambiguous], { notificationId: 'a' }),
      former('gone', ambiguous, { notificationId: 'b' }),
    );
    const decode = seeing({ a: [payment('A1', 'T1')] });
    expect(await run(deps, decode)).toEqual(['other_shape', 'unverifiable']);
    expect(await outcomes(deps)).toEqual(Array(3).fill('unsupported_event'));
  });

  test('an event that a person decided meanwhile is left unchanged', async () => {
    const deps = await testFormer(former('a', ambiguous));
    const asked = { after: 0n, limit: 1, onlyFormer: true };
    const rows = await findHeldMessages(deps.prisma, asked);
    const candidates = await candidatesOf(deps, rows, seeing({ a: [payment('A1', 'T1')] }));
    const notification = rows[0]?.id ?? 0n;
    await rejectHeldEvent(deps, { actor: 'li', reason: null, notification, position: 0 });
    const results = await deps.prisma.$transaction((tx) =>
      redecodeTogether(tx, deps.now, candidates, UPGRADE),
    );
    expect(results).toMatchObject([{ result: 'busy' }]);
    expect(await outcomes(deps)).toEqual(['ignored']);
  });

  test('four concurrent workers decode each of them once', async () => {
    const many = Array.from({ length: 60 }, (_, place) =>
      former(`m${place}`, ambiguous, { notificationId: `m${place}` }),
    );
    const deps = await testFormer(...many);
    const decode: DecodeStored = ({ notificationId }) => ({
      digest: digest(notificationId),
      events: [payment('A1', `T-${notificationId}`)],
    });
    const walk = async () => {
      let after = 0n;
      for (;;) {
        const { last, results } = await redecodeStep(deps, 7, after, decode);
        if (results.length === 0) return;
        after = last;
      }
    };
    await Promise.all([walk(), walk(), walk(), walk()]);
    await walk();
    expect(await outcomes(deps)).toEqual(Array(60).fill('applied'));
    expect(await orderRow(deps, 'A1')).toMatchObject({ version: 60 });
    expect(await deps.prisma.auditLog.count()).toBe(60);
  });

  test('one that makes the transaction fail does not block the others', async () => {
    const deps = await testFormer(
      former('a', ambiguous, { notificationId: 'a' }),
      former('b', ambiguous, { notificationId: 'b' }),
    );
    const poison = payment('A1', 'T\0');
    expect(await run(deps, seeing({ a: [poison], b: [payment('A1', 'T1')] }))).toEqual([
      'failed',
      'decoded',
    ]);
    expect(await outcomes(deps)).toEqual(['unsupported_event', 'applied']);
  });
});

describe('a plan', () => {
  const MAX = 100;
  const operator = { actor: 'li', reason: 'the key is back' };
  const decode = seeing({
    a: [payment('A1', 'T1')],
    b: [payment('A1', 'T1')],
    c: [ambiguous],
  });
  const testHeld = () =>
    testFormer(
      former('a', ambiguous, { notificationId: 'a' }),
      former('b', ambiguous, { notificationId: 'b' }),
      former('c', ambiguous, { notificationId: 'c' }),
      former('d', ambiguous, { notificationId: 'd' }),
    );
  const comesOf = (items: readonly Redecoded[]) =>
    items.map(({ result, events }) => [result, ...events.map(({ to }) => to.outcome)].join(' '));

  test('shows the result for each, and changes nothing', async () => {
    const deps = await testHeld();
    const plan = await planRedecode(deps, MAX, decode);
    expect(comesOf(plan.items)).toEqual([
      'decoded applied',
      'decoded duplicate',
      'decoded held',
      'unverifiable',
    ]);
    expect((await planRedecode(deps, MAX, decode)).digest).toBe(plan.digest);
    expect(await outcomes(deps)).toEqual(Array(4).fill('unsupported_event'));
    expect(await deps.prisma.notification.count({ where: { textDigest: null } })).toBe(4);
    expect(await deps.prisma.auditLog.count()).toBe(0);
  });

  test('is executed exactly, with audit rows of the operator', async () => {
    const deps = await testHeld();
    const { digest: plan, items } = await planRedecode(deps, MAX, decode);
    const done = await executeRedecode(deps, MAX, decode, { ...operator, digest: plan });
    if (done.result !== 'done') throw new Error(done.result);
    expect(comesOf(done.items)).toEqual(comesOf(items));
    expect(done.items.every((item) => item.done)).toBe(true);
    expect((await outcomes(deps)).slice(0, 2)).toEqual(['applied', 'duplicate']);
    expect(await deps.prisma.auditLog.findMany()).toMatchObject([
      { actor: 'li', action: 'event.retry' },
      { actor: 'li', action: 'event.retry' },
    ]);
  });

  test('is not executed when a result would differ', async () => {
    const deps = await testHeld();
    const { digest: plan } = await planRedecode(deps, MAX, decode);
    await apply(deps, notification(payment('A1', 'T1')));
    expect(await executeRedecode(deps, MAX, decode, { ...operator, digest: plan })).toEqual({
      result: 'plan_changed',
    });
    expect((await outcomes(deps)).slice(0, 4)).toEqual(Array(4).fill('unsupported_event'));
  });

  test('is bounded, and reports that', async () => {
    const deps = await testHeld();
    expect(await planRedecode(deps, 2, decode)).toMatchObject({ more: true, items: [{}, {}] });
  });
});
