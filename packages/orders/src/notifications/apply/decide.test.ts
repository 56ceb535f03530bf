import type { OrderStatement } from '@payonce/providers/event';
import type { Fact } from '@payonce/providers/fact';
import { describe, expect, test } from 'vitest';
import { decideEvent } from './decide.js';

const terms = { merchant: 'default', number: 'A1', amount: 8888n, currency: 'CNY' };
const paid: Fact = { kind: 'paid', rail: 'alipay', trade: 'T', amount: 8888n, at: null };
const good: OrderStatement = {
  kind: 'order',
  rail: 'alipay',
  orderNumber: 'A1',
  trade: 'T',
  amount: 8888n,
  currency: 'CNY',
  payeeMatches: true,
  signed: true,
  facts: [paid],
};

describe('an event', () => {
  test('that agrees with its order is applied', () => {
    expect(decideEvent(good, terms)).toEqual({ decision: 'apply', facts: [paid] });
  });

  test('without an amount is applied by its facts', () => {
    const closed: Fact = { kind: 'closed', by: 'alipay', trade: 'T', at: null };
    const event = { ...good, amount: null, facts: [closed] };
    expect(decideEvent(event, terms)).toEqual({ decision: 'apply', facts: [closed] });
  });

  test.each([
    ['unknown_order', good, null],
    ['unconfirmed', { ...good, signed: false }, null],
    ['amount_mismatch', { ...good, amount: 8889n }, terms],
    ['amount_mismatch', { ...good, facts: [{ ...paid, amount: 1n }] }, terms],
    ['amount_mismatch', { ...good, signed: false, amount: 8889n }, terms],
    ['currency_mismatch', { ...good, currency: 'HKD', amount: 8889n }, terms],
    ['merchant_mismatch', { ...good, payeeMatches: false }, null],
    ['merchant_mismatch', { ...good, payeeMatches: false, signed: false, amount: 1n }, terms],
    ['unsupported_event', { kind: 'unsupported', orderNumber: 'A1', says: 'X' }, terms],
  ] as const)('%s: case %#', (reason, event, order) => {
    expect(decideEvent(event, order)).toEqual({ decision: 'hold', reason });
  });

  test('without a signature only confirms facts of signed ones', () => {
    expect(decideEvent({ ...good, signed: false }, terms)).toEqual({
      decision: 'confirm',
      facts: [paid],
    });
  });

  test('that means nothing for an order is ignored', () => {
    const event = { kind: 'nothing', orderNumber: 'A1', says: 'WAIT_BUYER_PAY' } as const;
    expect(decideEvent(event, terms)).toEqual({ decision: 'ignore' });
  });
});
