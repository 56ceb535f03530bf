import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fenFromJson, formatYuan, parseFen, parseYuan } from './money.js';

describe('yuan', () => {
  it.each([
    ['88.80', 8880n],
    ['88.8', 8880n],
    ['88', 8800n],
    ['0.01', 1n],
    ['0.00', 0n],
    // Binary floats make 0.28999999999999998 and 1.1499999999999999 of these.
    ['0.29', 29n],
    ['1.15', 115n],
    ['999999999999999.99', 99999999999999999n],
  ])('%s is exactly %s fen', (text, fen) => {
    expect(parseYuan(text)).toBe(fen);
  });

  it.each([
    '',
    '.5',
    '5.',
    '-1.00',
    '+1.00',
    '1.000',
    '1e2',
    '1,00',
    ' 1',
    '1 ',
    '1\n',
    '0x1',
    '１',
    'NaN',
    '1'.repeat(16),
  ])('%j is rejected', (text) => expect(parseYuan(text)).toBeNull());

  it('written and read again is the same', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 99999999999999999n), (fen) => {
        expect(parseYuan(formatYuan(fen))).toBe(fen);
      }),
    );
  });

  it('below zero is written for people, and never read', () => {
    expect(formatYuan(-1n)).toBe('-0.01');
    expect(formatYuan(5n)).toBe('0.05');
    expect(formatYuan(-12345n)).toBe('-123.45');
  });
});

describe('fen', () => {
  it('is a whole number', () => {
    expect(parseFen('8880')).toBe(8880n);
    expect(parseFen('0')).toBe(0n);
    expect(parseFen('9'.repeat(17))).toBe(99999999999999999n);
  });

  it.each(['', '-1', '+1', '1.0', '1e2', ' 1', '1\n', '9'.repeat(18)])('is not %j', (text) => {
    expect(parseFen(text)).toBeNull();
  });

  it('in JSON is a number that lost nothing', () => {
    expect(fenFromJson(8880)).toBe(8880n);
    expect(fenFromJson(Number.MAX_SAFE_INTEGER)).toBe(9007199254740991n);
    for (const value of [
      -1,
      1.5,
      2 ** 53,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '1',
      null,
      undefined,
      true,
      [1],
    ]) {
      expect(fenFromJson(value)).toBeNull();
    }
  });
});
