import { expect, test } from 'vitest';
import { type Row, recordset } from './recordset.js';

const sent = (rows: readonly Row[]) => recordset(rows).values[0];

test('rows are one JSON text, times as ISO 8601', () => {
  const at = new Date(Date.UTC(2026, 0, 1));
  expect(sent([{ id: '12', at, count: 3, trade: null }])).toBe(
    '[{"id":"12","at":"2026-01-01T00:00:00.000Z","count":3,"trade":null}]',
  );
});

test('half a surrogate pair, which PostgreSQL refuses, becomes U+FFFD; whole pairs and escapes stay', () => {
  const rows = [{ half: 'a\ud800b', pair: '😀', says: '\\ud800', nul: '\0' }];
  expect(JSON.parse(String(sent(rows)))).toEqual([{ ...rows[0], half: 'a\ufffdb' }]);
});
