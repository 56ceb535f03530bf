import type { RememberedPosition } from '@payonce/core/queue/position-memory';
import type { DatabasePosition } from '@payonce/orders/database/position';
import { watchRewinds } from '@payonce/orders/database/rewind-watch';
import { expect, test } from 'vitest';
import { silent, testDatabase } from './database-support.js';

/** Processes that look at a database which goes back in time. */

function memory() {
  const kept: { position: RememberedPosition | null } = { position: null };
  return {
    read: async () => kept.position,
    write: async (position: RememberedPosition) => {
      kept.position = position;
    },
    close: () => {},
  };
}

async function open() {
  const { prisma } = await testDatabase();
  const outside = memory();
  const floorNow = async () =>
    (await prisma.rewind.aggregate({ _max: { versionFloor: true } }))._max.versionFloor ?? 0;
  /** A process: each call is a look at the end of the log. */
  const start = () => {
    const { examine } = watchRewinds({ prisma, memory: outside, log: silent });
    return async (wal: number) => {
      const at: DatabasePosition = { system: '1', timeline: '1', table: '1', wal: String(wal) };
      await examine({ ...at, versionFloor: await floorNow() });
    };
  };
  const floors = async () =>
    (await prisma.rewind.findMany({ orderBy: { id: 'asc' } })).map((one) => one.versionFloor);
  return { start, floors, prisma };
}

test('several processes find one rewind, and record it once', async () => {
  const { start, floors } = await open();
  const [one, other] = [start(), start()];
  await one(100);
  await other(101);
  await one(50);
  await other(51);
  await one(52);
  expect(await floors()).toHaveLength(1);
});

test('a second rewind soon after the first is recorded, above the first', async () => {
  const { start, floors } = await open();
  const [one, other] = [start(), start()];
  await one(100);
  await other(100);
  await one(50);
  await other(50);
  // The backup has the row of the first rewind.
  await one(90);
  await other(95);
  await one(60);
  await other(61);
  const [first = 0, second = 0, ...others] = await floors();
  expect(second).toBeGreaterThan(first);
  expect(others).toEqual([]);
});

test('a second rewind to a backup without the row of the first has a floor above that one', async () => {
  const { start, floors, prisma } = await open();
  const one = start();
  await one(100);
  await one(50);
  const [first = 0] = await floors();
  await one(90);
  await prisma.rewind.deleteMany();
  await one(40);
  expect((await floors())[0]).toBeGreaterThan(first);
});

test('a process that has just started compares with what others remembered', async () => {
  const { start, floors } = await open();
  await start()(100);
  const restarted = start();
  await expect(restarted(50)).rejects.toThrow('asked again');
  await restarted(50);
  expect(await floors()).toHaveLength(1);
});
