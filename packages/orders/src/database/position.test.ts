import { expect, test } from 'vitest';
import { type DatabasePosition, rewoundBecause } from './position.js';

const BEFORE: DatabasePosition = { system: '1', timeline: '00000001', table: '7', wal: '1000' };

test.each<[string, Partial<DatabasePosition>, RegExp]>([
  ['a backup of the same cluster', { wal: '999' }, /^its log ends 1 bytes before/],
  ['a promoted standby', { timeline: '00000002', wal: '2000' }, /^another timeline: 00000002/],
  ['another cluster', { system: '2', wal: '2000' }, /^another cluster/],
  ['a dump restored into it', { table: '8', wal: '2000' }, /^the table of orders/],
])('%s is found', (_, change, reason) => {
  expect(rewoundBecause(BEFORE, { ...BEFORE, ...change })).toMatch(reason);
});

test.each(['1000', '1001', '99999999999999999999'])(
  'a database whose log has only grown, to %s, is the same',
  (wal) => {
    expect(rewoundBecause(BEFORE, { ...BEFORE, wal })).toBeNull();
  },
);
