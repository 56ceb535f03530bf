import { describe, expect, it } from 'vitest';
import { type Form, parseForm } from './form.js';

const parse = (text: string) => {
  const form = parseForm(Buffer.from(text, 'latin1'));
  return form && fieldsOf(form);
};

const fieldsOf = ({ layout, values }: Form) =>
  Object.fromEntries(layout.names.map((name, place) => [name, values[place]]));

describe('a form', () => {
  it('is decoded once: an escape that was escaped stays one', () => {
    expect(parse('passback_params=%257B%22a%22%257D')).toEqual({ passback_params: '%7B"a"%7D' });
  });

  it('reads + as a blank and %2B as a plus', () => {
    expect(parse('subject=a+b%2Bc%20d')).toEqual({ subject: 'a b+c d' });
  });

  it('keeps empty values, blanks at the end, and = within a value', () => {
    expect(parse('a=&b=x+&c=d=e==&f')).toEqual({ a: '', b: 'x ', c: 'd=e==', f: '' });
  });

  it('keeps bytes that are no text', () => {
    const form = parseForm(Buffer.concat([Buffer.from('a=%D6%D0&b='), Buffer.from([0xff, 0x00])]));
    expect(form?.get('a')).toBe('\xd6\xd0');
    expect(form?.get('b')).toBe('\xff\x00');
  });

  it('skips empty pieces', () => {
    expect(parse('&a=1&&b=2&')).toEqual({ a: '1', b: '2' });
  });

  it.each([
    ['%', 'a=%'],
    ['%4', 'a=%4'],
    ['% without hex digits', 'a=100%zz'],
    ['% before a separator', 'a=%4&b=1'],
    ['a sign', 'a=%+1'],
    ['a broken name', '%g1=1'],
  ])('with a broken escape is rejected: %s', (_, text) => {
    expect(parse(text)).toBeNull();
  });

  it.each([
    ['twice with the same value', 'a=1&a=1'],
    ['twice in different escapes', 'a=1&%61=2'],
    ['twice, once without a value', 'a=1&a'],
    ['with a prototype name', '__proto__=1&__proto__=2'],
  ])('with a doubled field is rejected: %s', (_, text) => {
    expect(parse(text)).toBeNull();
  });

  it.each([
    ['nothing', ''],
    ['separators alone', '&&'],
    ['a value without a name', '=1'],
    ['a separator inside a name', 'a%26b=1'],
    ['an equals sign inside a name', 'a%3Db=1'],
  ])('is rejected: %s', (_, text) => {
    expect(parse(text)).toBeNull();
  });

  it('is bounded in size, number of fields and length of names', () => {
    const fields = (count: number) => Array.from({ length: count }, (_, i) => `n${i}=1`).join('&');
    expect(parse(fields(256))).not.toBeNull();
    expect(parse(fields(257))).toBeNull();
    expect(parse(`${'n'.repeat(128)}=1`)).not.toBeNull();
    expect(parse(`${'n'.repeat(129)}=1`)).toBeNull();
    expect(parse(`a=${'x'.repeat(256 * 1024 - 2)}`)).not.toBeNull();
    expect(parse(`a=${'x'.repeat(256 * 1024 - 1)}`)).toBeNull();
  });

  it('with a prototype name is a field like any other', () => {
    expect(parseForm(Buffer.from('__proto__=1&constructor=2'))?.values).toEqual(['1', '2']);
  });
});
