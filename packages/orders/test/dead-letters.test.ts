import type { LetterJob } from '@payonce/orders/notifications/dead-letters/dead-letter-rows';
import {
  countOpenDeadLetters,
  dismissDeadLetter,
  recordDeadLetter,
  requestRedrive,
} from '@payonce/orders/notifications/dead-letters/dead-letters';
import {
  type JobVerdict,
  redriveDeadLetters,
} from '@payonce/orders/notifications/dead-letters/redrive';
import { redriveReadable } from '@payonce/orders/notifications/dead-letters/redrive-readable';
import { registerOrder } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  orderRow,
  payment,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';

const operator = { actor: 'lin', reason: 'the channel is back' };
const letter = {
  queue: 'redis',
  jobId: 'j1',
  job: { bodyBase64: 'AA==' },
  reason: 'unknown_channel',
} as const;

async function withLetter(): Promise<{
  deps: TestDatabase;
  command: typeof operator & { letter: bigint };
}> {
  const deps = await testDatabase();
  await registerOrder(deps, terms('A1'));
  await recordDeadLetter(deps, letter);
  const { id } = await deps.prisma.deadLetter.findFirstOrThrow();
  return { deps, command: { ...operator, letter: id } };
}

const genuine = (): JobVerdict => ({ ok: true, notification: notification(payment('A1')) });
const refused = (): JobVerdict => ({
  ok: false,
  failure: { reason: 'verification_failed', error: 'stale' },
});
const letters = ({ prisma }: TestDatabase) => prisma.deadLetter.findMany();
const audit = ({ prisma }: TestDatabase) => prisma.auditLog.findMany({ orderBy: { id: 'asc' } });

describe('a re-drive', () => {
  test('is requested once, by name, and the next step of a worker applies the job', async () => {
    const { deps, command } = await withLetter();
    expect(await redriveDeadLetters(deps, 10, genuine)).toEqual({ looked: 0, redriven: 0 });
    deps.now = minute(5);
    expect(await requestRedrive(deps, command)).toEqual({ result: 'done', again: false });
    expect(await requestRedrive(deps, command)).toEqual({ result: 'done', again: true });
    expect(await audit(deps)).toMatchObject([
      { actor: 'lin', action: 'dead_letter.redrive', deadLetterId: command.letter },
    ]);
    const given: unknown[] = [];
    const verify = (job: LetterJob) => {
      given.push(job);
      return genuine();
    };
    expect(await redriveDeadLetters(deps, 10, verify)).toEqual({ looked: 1, redriven: 1 });
    expect(given).toEqual([{ jobId: letter.jobId, job: letter.job }]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid' });
    expect(await letters(deps)).toMatchObject([
      { redriveRequestedAt: null, redrivenAt: minute(5), deaths: 1 },
    ]);
    expect(await redriveDeadLetters(deps, 10, genuine)).toMatchObject({ looked: 0 });
    expect(await requestRedrive(deps, command)).toEqual({ result: 'closed', how: 'redriven' });
  });

  test('that fails again counts one more failure, and leaves the letter open', async () => {
    const { deps, command } = await withLetter();
    await requestRedrive(deps, command);
    expect(await redriveDeadLetters(deps, 10, refused)).toEqual({ looked: 1, redriven: 0 });
    expect(await letters(deps)).toMatchObject([
      {
        deaths: 2,
        reason: 'verification_failed',
        error: 'stale',
        redriveRequestedAt: null,
        redrivenAt: null,
      },
    ]);
    expect(await countOpenDeadLetters(deps)).toBe(1);
    expect(await requestRedrive(deps, command)).toEqual({ result: 'done', again: false });
  });

  test('of a job that was applied meanwhile is a copy, and changes nothing', async () => {
    const { deps, command } = await withLetter();
    const notice = notification(payment('A1'));
    await apply(deps, notice);
    await requestRedrive(deps, command);
    const verify = (): JobVerdict => ({ ok: true, notification: notice });
    expect(await redriveDeadLetters(deps, 10, verify)).toEqual({ looked: 1, redriven: 1 });
    expect(await orderRow(deps, 'A1')).toMatchObject({ version: 1, facts: [{}] });
  });

  test('by two workers at once: applied once, closed once', async () => {
    const { deps, command } = await withLetter();
    for (let round = 0; round < 10; round += 1) {
      await recordDeadLetter(deps, letter);
      await requestRedrive(deps, command);
      const { deaths } = await deps.prisma.deadLetter.findFirstOrThrow();
      const verify = round % 2 === 0 ? genuine : refused;
      await Promise.all([1, 2].map(() => redriveDeadLetters(deps, 10, verify)));
      expect(await letters(deps)).toMatchObject([
        { deaths: round % 2 === 0 ? deaths : deaths + 1, redriveRequestedAt: null },
      ]);
    }
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid', version: 1 });
  });

  test('while the database fails: the request stays', async () => {
    const { deps, command } = await withLetter();
    await requestRedrive(deps, command);
    await deps.prisma.$executeRaw`ALTER TABLE facts RENAME TO not_there`;
    await expect(redriveDeadLetters(deps, 10, genuine)).rejects.toMatchObject({
      code: 'database_unavailable',
    });
    await deps.prisma.$executeRaw`ALTER TABLE not_there RENAME TO facts`;
    expect(await redriveDeadLetters(deps, 10, genuine)).toEqual({ looked: 1, redriven: 1 });
  });
});

describe('a dead letter', () => {
  test('of both queues is one letter, with the queue of its last failure', async () => {
    const deps = await testDatabase();
    await recordDeadLetter(deps, letter);
    await recordDeadLetter(deps, { ...letter, queue: 'postgres' });
    expect(await letters(deps)).toMatchObject([{ queue: 'postgres', deaths: 2 }]);
  });

  test('that was dismissed is kept, and no longer counted, until its job fails again', async () => {
    const { deps, command } = await withLetter();
    expect(await countOpenDeadLetters(deps)).toBe(1);
    expect(await dismissDeadLetter(deps, command)).toEqual({ result: 'done', again: false });
    expect(await dismissDeadLetter(deps, command)).toEqual({ result: 'done', again: true });
    expect(await requestRedrive(deps, command)).toEqual({ result: 'closed', how: 'dismissed' });
    expect(await countOpenDeadLetters(deps)).toBe(0);
    expect(await letters(deps)).toHaveLength(1);
    expect(await audit(deps)).toMatchObject([{ action: 'dead_letter.dismiss' }]);
    await recordDeadLetter(deps, letter);
    expect(await countOpenDeadLetters(deps)).toBe(1);
  });

  test('that does not exist cannot be decided', async () => {
    const { deps, command } = await withLetter();
    const nobody = { ...command, letter: 999n };
    expect(await requestRedrive(deps, nobody)).toEqual({ result: 'unknown_letter' });
    expect(await dismissDeadLetter(deps, nobody)).toEqual({ result: 'unknown_letter' });
    expect(await audit(deps)).toEqual([]);
  });
});

describe('a letter that a worker of the previous release could not read', () => {
  const unread = (jobId: string, job: unknown = { version: 3, bodyText: `a\0${jobId}` }) =>
    ({ queue: 'redis', jobId, job, reason: 'malformed_job' }) as const;

  async function withUnread(count: number) {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    for (let n = 0; n < count; n += 1) await recordDeadLetter(deps, unread(`j${n}`));
    return deps;
  }
  const each = ({ jobId }: LetterJob): JobVerdict => ({
    ok: true,
    notification: notification(payment('A1'), { notificationId: jobId }),
  });

  test('is applied by a worker that can, in steps, with the system as its actor', async () => {
    const deps = await withUnread(5);
    const first = await redriveReadable(deps, 3, 0n, each);
    expect(first).toMatchObject({ looked: 3, redriven: 3 });
    expect(await redriveReadable(deps, 3, first.last, each)).toMatchObject({ redriven: 2 });
    expect(await countOpenDeadLetters(deps)).toBe(0);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid', version: 1 });
    expect((await audit(deps)).map(({ actor, action }) => [actor, action])).toEqual(
      Array(5).fill(['system', 'dead_letter.redrive']),
    );
  });

  test('stays open when it is invalid, was dismissed, or has no later version', async () => {
    const deps = await withUnread(2);
    await recordDeadLetter(deps, unread('old', { version: 2 }));
    await recordDeadLetter(deps, { ...unread('other'), reason: 'unknown_channel' });
    const [first] = await letters(deps);
    await dismissDeadLetter(deps, { ...operator, letter: first?.id ?? 0n });
    expect(await redriveReadable(deps, 9, 0n, refused)).toMatchObject({ looked: 1, redriven: 0 });
    expect(await countOpenDeadLetters(deps)).toBe(3);
    expect(await letters(deps)).toMatchObject(Array(4).fill({ deaths: 1 }));
  });

  test('is closed once by two workers', async () => {
    const deps = await withUnread(4);
    const both = [redriveReadable(deps, 9, 0n, each), redriveReadable(deps, 9, 0n, each)];
    const results = await Promise.all(both);
    expect(results.reduce((sum, { redriven }) => sum + redriven, 0)).toBe(4);
    expect(await audit(deps)).toHaveLength(4);
    expect(await orderRow(deps, 'A1')).toMatchObject({ version: 1 });
  });
});

test('a letter with any job ID can be stored, and the same job is the same letter', async () => {
  const deps = await testDatabase();
  const long = { ...letter, jobId: 'j'.repeat(50_000) };
  await recordDeadLetter(deps, long);
  await recordDeadLetter(deps, long);
  await recordDeadLetter(deps, { ...letter, jobId: 'k'.repeat(50_000) });
  await recordDeadLetter(deps, { ...letter, jobId: '\u{1f4b0}'.repeat(150) });
  const kept = (await letters(deps)).map(({ jobId, deaths }) => `${jobId.length} ${deaths}`);
  expect(kept.sort()).toEqual(['300 1', '71 1', '71 2']);
});
