import { eventually } from '@payonce/testkit/machine/poll';
import { expect, test } from 'vitest';
import { replayCommand } from '../src/replay/command.js';
import { openTestQueue } from './queues.js';
import { openTestDatabase, startTestWorker } from './running.js';
import { makeShop } from './shop.js';

const shop = makeShop();

/** A database that was restored has the orders of its backup, and none of the payments since. */
async function afterRestore() {
  const queue = await openTestQueue('redis');
  const lost = await openTestDatabase();
  const worker = await startTestWorker({ queue, database: lost, shop });
  for (const orderNumber of ['P1', 'P2']) {
    await lost.register(orderNumber);
    await queue.send(shop.jobFor(shop.payment({ orderNumber }).body));
    await eventually(async () => (await lost.statusOf(orderNumber)) === 'paid');
  }
  await worker.stop();
  const restored = await openTestDatabase();
  await restored.register('P1');
  const { topology, prefix } = queue.settings.kind === 'redis' ? queue.settings : fail();
  const env = {
    DATABASE_URL: restored.url,
    REDIS_URL: topology.kind === 'single' ? topology.url : fail(),
    PAYONCE_QUEUE_PREFIX: prefix,
  };
  const lines: string[] = [];
  const run = (...args: string[]) => replayCommand(args, env, (line) => void lines.push(line));
  return { queue, restored, run, lines };
}

function fail(): never {
  throw new Error('a queue in one Redis');
}

test('the command has workers apply what the queue holds, and names the orders that are missing', async () => {
  const { queue, restored, run, lines } = await afterRestore();
  await startTestWorker({ queue, database: restored, shop });
  expect(await run()).toBe(0);
  expect(lines).toEqual([
    expect.stringMatching(/^redis: 2 completed jobs, the oldest of 20/),
    'Nothing was changed. With --execute, workers apply these jobs again.',
  ]);
  expect(await restored.statusOf('P1')).toBe('pending');

  expect(await run('--execute')).toBe(0);
  expect(lines).toContain('Workers have put the jobs back.');
  await eventually(async () => (await restored.statusOf('P1')) === 'paid');
  expect(await restored.order('P1')).toMatchObject({
    orderEvents: [{ type: 'order.paid', payload: { replayed: true } }],
  });
  await eventually(async () => {
    lines.length = 0;
    await run('--execute');
    return lines.includes('  tea "P2"');
  });
  await restored.register('P2');
  expect(await restored.statusOf('P2')).toBe('paid');
  const rewinds = await restored.prisma.rewind.findMany({ orderBy: { id: 'asc' } });
  expect(rewinds[0]).toMatchObject({ reason: 'replay command', replayedJobs: 2 });
}, 60_000);

test.each([
  [['--nothing'], /Unknown option/],
  [['more'], /Unexpected argument/],
])('a wrong call (%j) has exit code 2 and changes nothing', async (args, said) => {
  const lines: string[] = [];
  expect(await replayCommand(args, {}, (line) => void lines.push(line))).toBe(2);
  expect(lines.join('\n')).toMatch(said);
});

test('missing settings are named together, with exit code 2', async () => {
  const lines: string[] = [];
  expect(await replayCommand([], {}, (line) => void lines.push(line))).toBe(2);
  expect(lines).toEqual(['DATABASE_URL: is not set', expect.stringContaining('REDIS_URL')]);
});
