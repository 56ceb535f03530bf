import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, MERCHANT, signer } from '../../test/wechatpay.js';

test('decoding never throws and always returns an event, for any genuine content', () => {
  const eventTypes = fc.constantFrom(
    'TRANSACTION.SUCCESS',
    'TRANSACTION.FAIL',
    'REFUND.SUCCESS',
    'OTHER',
  );
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('SUCCESS', 'A1', MERCHANT));
  const part = fc.dictionary(
    fc.constantFrom(
      'mchid',
      'sub_mchid',
      'out_trade_no',
      'transaction_id',
      'trade_state',
      'amount',
    ),
    odd,
  );
  const resources = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.json(),
    part.map((value) => JSON.stringify(value)),
    fc
      .record({
        combine_out_trade_no: odd,
        sub_orders: fc.oneof(odd, fc.array(fc.oneof(part, odd))),
      })
      .map((value) => JSON.stringify(value)),
    part.map((value) => JSON.stringify({ refund_status: 'SUCCESS', refund_id: '1', ...value })),
  );
  fc.assert(
    fc.property(eventTypes, resources, (eventType, resource) => {
      expect(decode(signer.event({ eventType, resource })).length).toBeGreaterThan(0);
    }),
  );
});
