import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasMerchant, MAX_MERCHANTS, merchantsOf } from './merchants.js';

describe('the merchants of a caller', () => {
  it.each([
    [['shop-a'], 'shop-a', true],
    [['shop-a'], 'shop-ab', false],
    [['shop-a'], 'Shop-a', false],
    [['shop-a', 'shop-b'], 'shop-b', true],
    [['shop-*'], 'shop-', true],
    [['shop-*'], 'shop-a', true],
    [['shop-*'], 'shop', false],
    [['shop-*'], 'my-shop-a', false],
    [['*-eu'], 'shop-eu', true],
    [['*-eu'], 'shop-eu-2', false],
    [['ab*ba'], 'aba', false],
    [['ab*ba'], 'abba', true],
    [['a*b*c'], 'a-c-b', false],
    [['a*b*c'], 'a-b-b-c', true],
    [['shop_a', 'shop%', 'shop.', 'shop[a]', '\\'], 'shopxa', false],
  ])('%j have %j: %s', (entries, merchant, expected) => {
    expect(hasMerchant(merchantsOf(entries) ?? [], merchant)).toBe(expected);
  });

  it('are all with a lone *, and with nothing else', () => {
    expect(merchantsOf(['*'])).toBe('all');
    expect(merchantsOf(['shop-a', '*'])).toBe('all');
    expect(merchantsOf(['**'])).toEqual(['**']);
  });

  it.each([
    [[]],
    [['']],
    [[' ']],
    [['a\nb']],
    [['a\0']],
    [['\ud800']],
    [['shop-a', '']],
    [['x'.repeat(65)]],
    [['*****']],
    [Array.from({ length: MAX_MERCHANTS + 1 }, (_, index) => `shop-${index}`)],
  ])('are unknown from %j: the caller is refused', (entries) => {
    expect(merchantsOf(entries)).toBeNull();
  });

  it('are matched as a regular expression would match them', () => {
    const text = fc.stringMatching(/^[ab-]{0,8}$/);
    const pattern = fc.stringMatching(/^[ab*-]{1,8}$/);
    fc.assert(
      fc.property(pattern, text, (entry, name) => {
        const oracle = new RegExp(`^${entry.replaceAll('*', '.*')}$`);
        expect(hasMerchant([entry], name)).toBe(oracle.test(name));
      }),
      { numRuns: 2_000 },
    );
  });
});
