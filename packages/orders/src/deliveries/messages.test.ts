import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EVENT_TYPES } from '../endpoints/event-types.js';
import { messageId, readMessage, schemaOf } from './messages.js';

const docs = join(import.meta.dirname, '../../../../docs/webhooks');

// `npx vitest run --project unit packages/orders/src/deliveries -u` rewrites them.
test.each(EVENT_TYPES)('docs/webhooks/%s.schema.json describes the sent messages', async (type) => {
  const text = `${JSON.stringify(schemaOf(type), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(join(docs, `${type}.schema.json`));
});

const createdAt = new Date(Date.UTC(2026, 0, 1));
const payload = {
  version: 1,
  milestone: 'paid',
  merchant: 'default',
  orderNumber: 'A1',
  amount: '8888',
  currency: 'CNY',
  status: 'paid',
  paidAmount: '8888',
  refundedAmount: '0',
  paidAt: null,
  attention: [],
  trade: { rail: 'alipay', trade: 'T' },
};

test('a message is the same text however the database orders the keys of its payload', () => {
  const turned = Object.fromEntries(Object.entries(payload).reverse());
  const [one, other] = [payload, turned].map((data) =>
    JSON.stringify(readMessage({ type: 'order.paid', createdAt, payload: data })),
  );
  expect(one).toBe(other);
  expect(one).toMatch(/^{"type":"order.paid","timestamp":"2026-01-01T00:00:00.000Z","data":{"mer/);
});

test('undescribed fields are not sent', () => {
  const data = { ...payload, buyer: '2088' };
  expect(JSON.stringify(readMessage({ type: 'order.paid', createdAt, payload: data }))).not.toMatch(
    'buyer',
  );
  expect(
    readMessage({ type: 'order.paid', createdAt, payload: { ...payload, amount: 88.88 } }),
  ).toBe(null);
  expect(readMessage({ type: 'order.shipped', createdAt, payload })).toBeNull();
});

test('an ID belongs to one order event of one database', () => {
  const id = messageId({ id: 7n, createdAt });
  expect(id).toMatch(/^evt_7_[0-9a-z]+$/);
  expect(messageId({ id: 7n, createdAt: new Date(1) })).not.toBe(id);
});
