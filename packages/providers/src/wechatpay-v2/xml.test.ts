import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFlatXml } from './xml.js';

const parse = (text: string, root: 'xml' | 'root' = 'xml') => {
  const fields = parseFlatXml(Buffer.from(text, 'utf8'), root);
  return fields === null ? null : Object.fromEntries(fields);
};

describe('the XML that WeChat writes is read', () => {
  test.each<[string, string, Record<string, string>]>([
    ['plain text and CDATA', '<xml><a>1</a><b><![CDATA[二]]></b></xml>', { a: '1', b: '二' }],
    ['white space around fields', '\n<xml>\n\t<a>1</a>\r\n</xml>\n', { a: '1' }],
    ['an empty document', '<xml></xml>', {}],
    ['an empty document, short', '<xml/>', {}],
    ['empty fields', '<xml><a></a><b/><c><![CDATA[]]></c></xml>', { a: '', b: '', c: '' }],
    ['a declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<xml><a>1</a></xml>', { a: '1' }],
    ['a declaration, short', "<?xml version='1.0'?><xml><a>1</a></xml>", { a: '1' }],
    ['a byte order mark', '\uFEFF<xml><a>1</a></xml>', { a: '1' }],
    ['spaces in tags', '<xml ><a >1</a ></xml >', { a: '1' }],
    ['predefined entities', '<xml><a>&lt;&gt;&amp;&quot;&apos;</a></xml>', { a: '<>&"\'' }],
    ['numeric entities', '<xml><a>&#20013;&#x4e2D;&#x1F600;</a></xml>', { a: '中中😀' }],
    ['an entity is resolved once', '<xml><a>&amp;lt;</a></xml>', { a: '&lt;' }],
    [
      'a numeric entity is resolved once',
      '<xml><a>&#38;lt;&#38;#65;</a></xml>',
      { a: '&lt;&#65;' },
    ],
    ['an ampersand writes no entity', '<xml><a>&amp;#65;&#38;amp;</a></xml>', { a: '&#65;&amp;' }],
    [
      'CDATA is text as it stands',
      '<xml><a><![CDATA[<b>&lt;</b>]]></a></xml>',
      { a: '<b>&lt;</b>' },
    ],
    [
      'CDATA sections are joined',
      '<xml><a><![CDATA[x]]]]><![CDATA[>y]]></a></xml>',
      { a: 'x]]>y' },
    ],
    ['text and CDATA are joined', '<xml><a>1 <![CDATA[ 2]]>&#51;</a></xml>', { a: '1  23' }],
    ['line ends of a value are kept', '<xml><a><![CDATA[1\r\n2\r]]></a></xml>', { a: '1\r\n2\r' }],
    ['spaces of a value are kept', '<xml><a> 1 </a></xml>', { a: ' 1 ' }],
  ])('%s', (_, text, fields) => {
    expect(parse(text)).toEqual(fields);
  });

  test('names of Object.prototype are ordinary names', () => {
    const fields = parseFlatXml(
      Buffer.from('<xml><__proto__>1</__proto__><constructor>2</constructor></xml>'),
      'xml',
    );
    expect([...(fields ?? [])]).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  test('the plaintext of a refund has the root <root>', () => {
    expect(parse('<root><a>1</a></root>', 'root')).toEqual({ a: '1' });
    expect(parse('<xml><a>1</a></xml>', 'root')).toBeNull();
  });
});

describe('anything beyond flat fields is rejected', () => {
  const entity = '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
  const laughs = `<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(50)}">]>`;
  test.each([
    ['a DOCTYPE', '<!DOCTYPE xml><xml><a>1</a></xml>'],
    ['a DOCTYPE in small letters', '<!doctype xml><xml><a>1</a></xml>'],
    ['a DOCTYPE after a declaration', `<?xml version="1.0"?>\n${entity}<xml><a>1</a></xml>`],
    ['an external entity', `${entity}<xml><a>&x;</a></xml>`],
    ['a parameter entity', '<!DOCTYPE xml [<!ENTITY % p SYSTEM "http://x/">%p;]><xml></xml>'],
    ['a billion laughs', `${laughs}<xml><a>&b;</a></xml>`],
    ['a DOCTYPE inside', `<xml>${entity}<a>1</a></xml>`],
    ['an entity declaration inside', '<xml><!ENTITY x "1"><a>1</a></xml>'],
    ['an undeclared entity', '<xml><a>&x;</a></xml>'],
    ['an HTML entity', '<xml><a>&nbsp;</a></xml>'],
    ['an entity between fields', '<xml>&lt;<a>1</a></xml>'],
    ['a bare ampersand', '<xml><a>1&2</a></xml>'],
    ['an unended entity', '<xml><a>&amp</a></xml>'],
    ['the number of NUL', '<xml><a>&#0;</a></xml>'],
    ['the number of a control', '<xml><a>&#8;</a></xml>'],
    ['the number of a surrogate', '<xml><a>&#xD800;</a></xml>'],
    ['a number beyond Unicode', '<xml><a>&#x110000;</a></xml>'],
    ['a number too long', `<xml><a>&#${'0'.repeat(20)}65;</a></xml>`],
    ['a number with a capital X', '<xml><a>&#X41;</a></xml>'],
    ['an instruction before', '<?xml-stylesheet href="x"?><xml><a>1</a></xml>'],
    ['an instruction inside', '<xml><?php echo 1?><a>1</a></xml>'],
    ['an instruction in a value', '<xml><a>1<?x?></a></xml>'],
    ['an instruction after', '<xml><a>1</a></xml><?x?>'],
    ['a second declaration', '<?xml version="1.0"?><?xml version="1.0"?><xml></xml>'],
    ['a declaration that is not at the start', ' <?xml version="1.0"?><xml></xml>'],
    ['a declaration without a version', '<?xml encoding="UTF-8"?><xml></xml>'],
    ['XML 1.1', '<?xml version="1.1"?><xml></xml>'],
    ['another encoding', '<?xml version="1.0" encoding="GBK"?><xml><a>1</a></xml>'],
    ['UTF-7', '<?xml version="1.0" encoding="UTF-7"?><xml><a>1</a></xml>'],
    ['a comment before', '<!-- x --><xml><a>1</a></xml>'],
    ['a comment inside', '<xml><!-- x --><a>1</a></xml>'],
    ['a comment in a value', '<xml><a>1<!-- 2 -->3</a></xml>'],
    ['an attribute on the root', '<xml version="1"><a>1</a></xml>'],
    ['an attribute on a field', '<xml><a b="1">1</a></xml>'],
    ['an attribute on an end tag', '<xml><a>1</a b="1"></xml>'],
    ['a name space', '<w:xml><a>1</a></w:xml>'],
    ['a nested element', '<xml><a><b>1</b></a></xml>'],
    ['a nested empty element', '<xml><a>1<b/></a></xml>'],
    ['the root nested in itself', '<xml><xml><a>1</a></xml></xml>'],
    ['a repeated element', '<xml><a>1</a><a>1</a></xml>'],
    ['a repeated element, once empty', '<xml><a>1</a><a/></xml>'],
    ['another root', '<root><a>1</a></root>'],
    ['a root in capitals', '<XML><a>1</a></XML>'],
    ['an HTML page', '<!DOCTYPE html><html><body>404</body></html>'],
    ['two roots', '<xml><a>1</a></xml><xml></xml>'],
    ['text before the root', 'x<xml><a>1</a></xml>'],
    ['text after the root', '<xml><a>1</a></xml>x'],
    ['text between fields', '<xml>x<a>1</a></xml>'],
    ['CDATA between fields', '<xml><![CDATA[x]]><a>1</a></xml>'],
    ['a wrong end tag', '<xml><a>1</b></xml>'],
    ['a missing end tag', '<xml><a>1</xml>'],
    ['a missing root end', '<xml><a>1</a>'],
    ['a cut off value', '<xml><a>1'],
    ['CDATA that never ends', '<xml><a><![CDATA[1</a></xml>'],
    ['cdata in small letters', '<xml><a><![cdata[1]]></a></xml>'],
    ['the end of CDATA in text', '<xml><a>1]]>2</a></xml>'],
    ['a name that starts with a digit', '<xml><1a>1</1a></xml>'],
    ['a name beyond ASCII', '<xml><名>1</名></xml>'],
    ['a name too long', `<xml><${'a'.repeat(65)}>1</${'a'.repeat(65)}></xml>`],
    ['a NUL', '<xml><a>\u0000</a></xml>'],
    ['a control in CDATA', '<xml><a><![CDATA[\u0008]]></a></xml>'],
    ['U+FFFE', '<xml><a>\uFFFE</a></xml>'],
    ['two byte order marks', '\uFEFF\uFEFF<xml></xml>'],
    ['nothing', ''],
    ['white space only', ' \n'],
    ['JSON', '{"xml":{}}'],
    ['a form', 'a=1&b=2'],
  ])('%s', (_, text) => {
    expect(parse(text)).toBeNull();
  });

  test.each<[string, Buffer]>([
    ['UTF-16', Buffer.from('\uFEFF<xml><a>1</a></xml>', 'utf16le')],
    [
      'GBK bytes',
      Buffer.from([...Buffer.from('<xml><a>'), 0xd6, 0xd0, ...Buffer.from('</a></xml>')]),
    ],
    [
      'overlong UTF-8',
      Buffer.from([...Buffer.from('<xml><a>'), 0xc0, 0xbc, ...Buffer.from('</a></xml>')]),
    ],
    [
      'a coded surrogate',
      Buffer.from([...Buffer.from('<xml><a>'), 0xed, 0xa0, 0x80, ...Buffer.from('</a></xml>')]),
    ],
  ])('broken encoding: %s', (_, bytes) => {
    expect(parseFlatXml(bytes, 'xml')).toBeNull();
  });
});

describe('limits', () => {
  const fieldsOf = (count: number) =>
    `<xml>${Array.from({ length: count }, (_, i) => `<f${i}>1</f${i}>`).join('')}</xml>`;

  test('200 fields are read, one more is rejected', () => {
    expect(Object.keys(parse(fieldsOf(200)) ?? {})).toHaveLength(200);
    expect(parse(fieldsOf(201))).toBeNull();
  });

  test('256 KiB are read, one byte more is rejected', () => {
    const overhead = '<xml><a></a></xml>'.length;
    const document = (bytes: number) => `<xml><a>${'x'.repeat(bytes - overhead)}</a></xml>`;
    expect(parse(document(256 * 1024))).not.toBeNull();
    expect(parse(document(256 * 1024 + 1))).toBeNull();
  });

  test('the longest hostile documents are rejected within a fraction of a second', () => {
    const size = 256 * 1024;
    const hostile = [
      '<',
      '&',
      '<a',
      '<![CDATA[',
      '<a>',
      ']]>',
      '&#65;',
      ' ',
      '<xml>',
      '<!--',
      'a&lt;',
      '&#x1F600;',
    ].map((part) => `<xml><a>${part.repeat(size)}`.slice(0, size));
    const start = performance.now();
    for (const document of hostile) expect(parse(document)).toBeNull();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('properties', () => {
  const xmlText = fc
    .string({ unit: 'binary' })
    .map((text) => text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ''));
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/);
  const record = fc.uniqueArray(fc.tuple(name, xmlText), {
    selector: ([key]) => key,
    maxLength: 30,
  });
  const cdata = (value: string) => `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
  const escaped = (value: string) =>
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

  const numbered = (value: string) =>
    value.replaceAll('&', '&#38;').replaceAll('<', '&#x3c;').replaceAll('>', '&#62;');

  test('every text is read back unchanged, as CDATA and as escaped text', () => {
    fc.assert(
      fc.property(record, fc.constantFrom(cdata, escaped, numbered), (fields, write) => {
        const body = fields.map(([key, value]) => `<${key}>${write(value)}</${key}>`).join('\n');
        const read = parseFlatXml(Buffer.from(`<xml>${body}</xml>`), 'xml');
        expect([...(read ?? [])]).toEqual(fields);
      }),
    );
  });

  test('arbitrary bytes, and arbitrary joins of XML parts, never throw', () => {
    const parts = fc.constantFrom(
      '<xml>',
      '</xml>',
      '<a>',
      '</a>',
      '<b/>',
      '<![CDATA[',
      ']]>',
      '&amp;',
      '&#65;',
      '&#x',
      ';',
      '&',
      '<!DOCTYPE x [',
      '<?xml version="1.0"?>',
      '<!--',
      '-->',
      'x',
      ' ',
      '"',
      '\uFEFF',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.array(parts).map((all) => Buffer.from(all.join(''))),
        ),
        (bytes) => {
          const fields = parseFlatXml(Buffer.from(bytes), 'xml');
          expect(fields === null || fields instanceof Map).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
