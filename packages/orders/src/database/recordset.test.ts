import { expect, test } from 'vitest';
import { arrayLiteral, recordset } from './recordset.js';

test('a column is one text, in the form of an array', () => {
  const at = new Date(Date.UTC(2026, 0, 1));
  const sql = recordset([{ id: '12', at, count: 3, trade: null }], {
    id: 'bigint',
    at: 'timestamptz',
    count: 'int',
    trade: 'text',
  });
  expect(sql.sql).toBe(
    '(SELECT unnest(?::bigint[]) AS id,unnest(?::timestamptz[]) AS at,unnest(?::int[]) AS count,unnest(?::text[]) AS trade)',
  );
  expect(sql.values).toEqual(['{"12"}', '{"2026-01-01T00:00:00.000Z"}', '{3}', '{null}']);
});

test('no rows are an empty table', () => {
  expect(recordset([], { id: 'bigint' }).values).toEqual(['{}']);
});

test('half a surrogate pair, which PostgreSQL refuses, becomes U+FFFD; whole pairs and escapes stay', () => {
  expect(arrayLiteral(['a\ud800b', '😀'])).toBe('{"a\ufffdb","😀"}');
});
