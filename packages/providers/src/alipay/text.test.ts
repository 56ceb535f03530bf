import fc from 'fast-check';
import { expect, it } from 'vitest';
import { alipayTimeOf as read } from './text.js';

/** Checks by formatting again: only a time on the calendar comes back unchanged. */
function obvious(text: string): Date | null {
  const [day, time = ''] = text.split(' ');
  const at = new Date(`${day}T${time}+08:00`);
  if (Number.isNaN(at.getTime())) return null;
  const again = new Date(at.getTime() + 8 * 3_600_000).toISOString().replace('T', ' ');
  return again.startsWith(text) ? at : null;
}

const two = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));
const year = fc.integer({ min: 1000, max: 9999 }).map(String);
const rest = fc.constantFrom('', '', '.000', '.007', '.999', '.12', '.', 'Z', ' ');

it('a time of Beijing is read exactly, and one that is not on the calendar is null', () => {
  const parts = fc.tuple(year, two(13), two(32), two(25), two(61), two(61), rest);
  fc.assert(
    fc.property(parts, ([years, month, day, hour, minute, second, fraction]) => {
      const text = `${years}-${month}-${day} ${hour}:${minute}:${second}${fraction}`;
      const expected = /(:\d\d|\.\d{3})$/.test(text) ? obvious(text) : null;
      expect(read(text)).toEqual(expected);
    }),
    { numRuns: 3_000 },
  );
});

it('every day of leap years and others is read', () => {
  const days = fc.date({
    min: new Date('1900-01-01'),
    max: new Date('2200-01-01'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(days, (at) => {
      const text = new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, -1);
      expect(read(text.replace('T', ' '))).toEqual(at);
    }),
  );
});
