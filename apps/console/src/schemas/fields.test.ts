import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { amount, orderNumber, page, pageOf, rowId } from './fields.js';

describe('an amount', () => {
  it.each(['1', '8888', '99999999999999999'])('is minor units as decimal text: %s', (text) => {
    expect(amount.safeParse(text).success).toBe(true);
  });

  it.each([
    '0',
    '-1',
    '+1',
    '01',
    '1.00',
    '88.88',
    '1e3',
    ' 1',
    '1 ',
    '',
    '123456789012345678',
    8888,
    88.88,
    null,
  ])('is never %j', (value) => expect(amount.safeParse(value).success).toBe(false));
});

describe('an order number', () => {
  it.each(['1', 'A_1-2', 'a|b*c@d', 'x'.repeat(64)])('may be %s', (text) => {
    expect(orderNumber.safeParse(text).success).toBe(true);
  });

  it.each(['', 'x'.repeat(65), 'a b', 'a/b', '订单', 'a\n', "a'"])('is never %j', (text) => {
    expect(orderNumber.safeParse(text).success).toBe(false);
  });
});

describe('a page', () => {
  const query = z.strictObject(page);

  it('has 50 rows unless told otherwise, and never more than 100', () => {
    expect(query.parse({})).toEqual({ limit: 50 });
    expect(query.parse({ limit: '100', cursor: '7' })).toEqual({ limit: 100, cursor: 7n });
    for (const limit of ['0', '101', '-1', '1.5', 'all']) {
      expect(query.safeParse({ limit }).success).toBe(false);
    }
  });

  it('refuses a cursor that PostgreSQL could not hold', () => {
    for (const id of ['0', '-1', 'abc', '9'.repeat(19)])
      expect(rowId.safeParse(id).success).toBe(false);
  });

  it('ends where nothing follows, and names its last row where something does', () => {
    const rows = [{ id: 9n }, { id: 8n }, { id: 7n }];
    expect(pageOf(rows, 3)).toEqual({ rows, nextCursor: null });
    expect(pageOf(rows, 2)).toEqual({ rows: rows.slice(0, 2), nextCursor: '8' });
    expect(pageOf([], 2)).toEqual({ rows: [], nextCursor: null });
  });
});
