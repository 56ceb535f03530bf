import { expect, test } from 'vitest';
import { type DatabaseFacts, databaseFaults } from './faults.js';

const KNOWN = ['1_initial', '2_more'];
const fit: DatabaseFacts = {
  fsync: 'on',
  fullPageWrites: 'on',
  inRecovery: false,
  applied: ['1_initial', '2_more'],
};
const faults = (changes: Partial<DatabaseFacts>, durability: 'checked' | 'managed' = 'checked') =>
  databaseFaults({ ...fit, ...changes }, durability, KNOWN).join('; ');

test('a database that keeps what it commits and is migrated has no fault', () => {
  expect(faults({})).toBe('');
  expect(databaseFaults({ ...fit, applied: null }, 'checked', [])).toEqual([]);
});

test('each fault is named, and all of them at once', () => {
  expect(faults({ fsync: 'off' })).toBe('fsync is off');
  expect(faults({ fullPageWrites: 'off' })).toBe('full_page_writes is off');
  expect(faults({ inRecovery: true })).toBe('the database is a standby (in recovery)');
  expect(faults({ fsync: 'off', fullPageWrites: 'off', inRecovery: true, applied: null })).toMatch(
    /^fsync is off; full_page_writes is off; .*standby.*; the schema is not migrated: run /,
  );
});

test('an older schema, an interrupted one and none at all are not migrated; a newer one is fine', () => {
  expect(faults({ applied: ['1_initial'] })).toContain('(missing: 2_more)');
  expect(faults({ applied: ['2_more'] })).toContain('(missing: 1_initial)');
  expect(faults({ applied: null })).toContain('(missing: 1_initial, 2_more)');
  expect(faults({ applied: ['1_initial', '2_more', '3_of_a_later_release'] })).toBe('');
});

test('a managed service is not asked for hidden settings; a standby and an old schema stay faults', () => {
  expect(faults({ fsync: 'off', fullPageWrites: 'off' }, 'managed')).toBe('');
  expect(faults({ inRecovery: true }, 'managed')).toContain('standby');
  expect(faults({ applied: null }, 'managed')).toContain('not migrated');
});
