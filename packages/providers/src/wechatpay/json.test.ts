import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJsonObject } from './json.js';

const parse = (text: string) => parseJsonObject(Buffer.from(text, 'utf8'));

describe('reading JSON strictly', () => {
  test('an ordinary object is read as JSON.parse reads it', () => {
    const text =
      '{"a":"\\u4ed8 \\/ {\\"a\\":1}","b":[{"a":1},{"a":2}],"c":{"a":null},"d":-12,"e":true}';
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  test('any object that JSON can write comes back unchanged', () => {
    // Without fractions and numbers beyond 15 digits, which are rejected on purpose.
    const integer = fc.integer({ min: -1e14, max: 1e14 }).filter((n) => !Object.is(n, -0));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        integer,
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'binary' }), tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), tree, { noNullPrototype: true }), (value) => {
        const text = JSON.stringify(value);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    ['at the top', '{"id":"a","id":"b"}'],
    ['with an equal value', '{"id":"a","id":"a"}'],
    ['inside', '{"resource":{"nonce":"a","x":[1,{"y":2}],"nonce":"b"}}'],
    ['inside an array', '{"a":[{"b":1},{"b":1,"b":2}]}'],
    ['around a nested object with the same key', '{"a":{"a":1},"a":2}'],
    ['written with an escape', '{"id":"a","\\u0069d":"b"}'],
    ['with spaces before the colon', '{"id" \n: 1, "id"\t:2}'],
    ['named __proto__', '{"__proto__":1,"__proto__":2}'],
  ])('a repeated key is rejected: %s', (_, text) => {
    expect(JSON.parse(text)).toBeTypeOf('object');
    expect(parse(text)).toBeNull();
  });

  test('repeated keys are found among strings full of quotes, backslashes and colons', () => {
    const tricky = fc
      .array(fc.constantFrom('"', '\\', ':', '1.5', 'a', '/', '\u4ed8'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    const members = fc.array(fc.tuple(tricky, tricky), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(members, (pairs) => {
        const written = pairs.map(
          ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
        );
        const isDoubled = new Set(pairs.map(([key]) => key)).size < pairs.length;
        const text = `{${written.join(' ,')}}`;
        expect(parse(text)).toEqual(isDoubled ? null : JSON.parse(text));
        expect(parse(`{"o":[${text}]}`)).toEqual(isDoubled ? null : { o: [JSON.parse(text)] });
      }),
      { numRuns: 1_000 },
    );
  });

  test('the same key in different objects is not repeated, and neither is one inside a text', () => {
    expect(parse('{"a":{"b":1},"c":{"b":2},"d":"\\"a\\":1,","e":["a","a"]}')).not.toBeNull();
  });

  test.each([
    '',
    ' ',
    'null',
    '[]',
    '"a"',
    '1',
    '{',
    '{"a":1}x',
    '{"a":01}',
    '\ufeff{"a":1}',
    "{'a':1}",
  ])('anything but one JSON object is rejected: %j', (text) => {
    expect(parse(text)).toBeNull();
  });

  test('broken UTF-8 is rejected, not repaired', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(parseJsonObject(bytes)).toBeNull();
    expect(parseJsonObject(Buffer.from('{"a":"\u4ed8"}', 'latin1'))).toBeNull();
  });

  test('a number that a double may not represent exactly becomes null, never another number', () => {
    expect(
      parse(
        '{"a":4.2000012322021104e+27,"b":1217752501201407033233368018,"c":1.10,"d":1e2,"e":[0.1]}',
      ),
    ).toEqual({ a: null, b: null, c: null, d: null, e: [null] });
    expect(parse('{"a":999999999999999,"b":0,"c":"1e2"}')).toEqual({
      a: 999999999999999,
      b: 0,
      c: '1e2',
    });
  });

  test('a deeply nested body is answered, not a crash', () => {
    const depth = 60_000;
    const nested = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(() => parse(nested)).not.toThrow();
    expect(() => parse('{"a":'.repeat(depth))).not.toThrow();
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        parseJsonObject(Buffer.from(bytes));
      }),
    );
  });
});
