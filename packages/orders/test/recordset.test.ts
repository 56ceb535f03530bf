import { recordset } from '@payonce/orders/database/recordset';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testDatabase } from './database-support.js';

/** Any text that PostgreSQL can hold. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '',
      'null',
      'NULL',
      '{}',
      '"',
      '\\',
      '\\"',
      '\\n',
      '\n',
      '\t\u0001',
      ' a,b ',
      '{"a":"\\u0000"}',
    ),
  )
  .filter((one) => !one.includes('\0'))
  .map((one) => one.toWellFormed());

const row = fc.record({
  id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  count: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  trade: fc.option(text),
  at: fc.option(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })),
});

test('rows reach PostgreSQL unchanged, in their order, whatever their text contains', async () => {
  const { prisma } = await testDatabase();
  const types = { id: 'bigint', count: 'int', trade: 'text', at: 'timestamptz' } as const;
  await fc.assert(
    fc.asyncProperty(fc.array(row), async (rows) => {
      const read = await prisma.$queryRaw`
        SELECT id::text, count, trade, at FROM ${recordset(rows, types)} AS r`;
      expect(read).toEqual(rows);
    }),
    { numRuns: 200 },
  );
});
