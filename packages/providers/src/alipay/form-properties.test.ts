import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseForm } from './form.js';
import { Layouts } from './layout.js';

const BROKEN = /%(?![0-9a-fA-F]{2})/;

/** The content of a form, by the simplest implementation. */
function obvious(text: string): [name: string, value: string][] | null {
  const plain = (part: string) =>
    part
      .replaceAll('+', ' ')
      .replace(/%(..)/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
  const pieces = text.split('&').filter((piece) => piece !== '');
  if (pieces.some((piece) => BROKEN.test(piece))) return null;
  const fields = pieces.map((piece): [string, string] => {
    const [name = '', ...value] = piece.split('=');
    return [plain(name), plain(value.join('='))];
  });
  const names = fields.map(([name]) => name);
  if (names.length === 0 || new Set(names).size < names.length) return null;
  return names.every((name) => /^[^&=]+$/.test(name)) ? fields : null;
}

const token = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', '_', '1', '&', '&', '=', '=', '+') },
  fc.constantFrom('%', '%2', '%41', '%3d', '%3D', '%26', '%25', '%d6', '%00', '%zz', '%4&', '\xe9'),
);
const body = fc.array(token, { maxLength: 24 }).map((tokens) => tokens.join(''));

describe('any form', () => {
  const layouts = new Layouts();

  it('is read as by the simple reader, whatever was read before it', () => {
    fc.assert(
      fc.property(body, (text) => {
        const form = parseForm(Buffer.from(text, 'latin1'), layouts);
        const { names = [] } = form?.layout ?? {};
        expect(form && names.map((name) => [name, form.get(name)])).toEqual(obvious(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('has its names in the order of their bytes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-c_1]{1,4}$/)), (names) => {
        fc.pre(names.length > 0);
        const form = parseForm(Buffer.from(names.join('&')), layouts);
        const bytes = names.map((name) => Buffer.from(name)).sort(Buffer.compare);
        expect(form?.layout.sorted.map(({ name }) => Buffer.from(name))).toEqual(bytes);
      }),
    );
  });
});

describe('a remembered layout', () => {
  const read = (text: string, layouts: Layouts) => parseForm(Buffer.from(text), layouts);

  it('does not let a doubled field through', () => {
    const layouts = new Layouts();
    for (let count = 0; count < 3; count += 1) {
      expect(read('a=1&b=2', layouts)).not.toBeNull();
      expect(read('a=1&a=2', layouts)).toBeNull();
    }
  });

  it('is of the same names in the same order', () => {
    const layouts = new Layouts();
    const texts = ['a=1&b=2', 'b=2&a=1', 'a=1', 'a=1&b=2&c=3', 'ab=1&=2'];
    const places = () => texts.map((text) => read(text, layouts)?.get('a'));
    expect(places()).toEqual(['1', '1', '1', '1', undefined]);
    expect(places()).toEqual(['1', '1', '1', '1', undefined]);
  });

  it('is dropped after others: no sender makes the memory grow', () => {
    const layouts = new Layouts();
    const first = layouts.of(['first']);
    expect(layouts.of(['first'])).toBe(first);
    for (let count = 0; count < 8; count += 1) layouts.of([`n${count}`]);
    expect(layouts.of(['first'])).not.toBe(first);
  });
});

it('values larger than the decoding buffer are decoded as well', () => {
  const escaped = '%41'.repeat(10_000);
  expect(parseForm(Buffer.from(`a=${escaped}&b=%42`))?.values).toEqual(['A'.repeat(10_000), 'B']);
});
