import { arbitraryBytes, mutateBytes } from './bytes.js';
import { alone, type FuzzRequest, type Maker, partsOf, wellFramed } from './parts.js';

/** Requests whose body may be genuine, but whose head differs from a provider's. */

const ODD_VALUES = [
  '',
  ' ',
  '0',
  '-1',
  '99999999999999',
  'NaN',
  '1e3',
  'gzip',
  'application/json; charset=utf-16',
  'multipart/form-data; boundary=x',
  'text/xml;;;',
  'WECHATPAY/SIGNTEST/YWJj',
  'x'.repeat(2_000),
  '"',
  '\xff\xfe',
  'a, b',
] as const;
const ODD_NAMES = [
  'content-type',
  'content-encoding',
  'wechatpay-timestamp',
  'wechatpay-nonce',
  'wechatpay-signature',
  'wechatpay-serial',
  'wechatpay-signature-type',
  'x-forwarded-for',
  'x-http-method-override',
  'cookie',
  'accept-encoding',
  '__proto__',
  'constructor',
  'te',
] as const;

export const mutatedHeaders: Maker = (target, random) => {
  const parts = partsOf(target, random.pick(target.pool));
  const at = random.between(0, parts.headers.length - 1);
  const [name = 'x-a', value = ''] = parts.headers[at] ?? [];
  const altered = printable(mutateBytes(Buffer.from(value, 'latin1'), random));
  const changes = [
    () => parts.headers.toSpliced(at, 1),
    () => parts.headers.with(at, [name, random.pick(ODD_VALUES)]),
    () => parts.headers.with(at, [name, altered]),
    () => [...parts.headers, [name, random.pick([value, altered])] as const],
    () => [...parts.headers, [random.pick(ODD_NAMES), random.pick(ODD_VALUES)] as const],
    () => random.shuffled(parts.headers),
    () => parts.headers.with(at, [name.toUpperCase(), value]),
  ];
  return wellFramed({ ...parts, headers: random.pick(changes)() });
};

const METHODS = [
  'GET',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PROPFIND',
  'post',
  'X',
];

/** Requests outside the notify route. Other methods and paths are answered unread. */
export const elsewhere: Maker = (target, random) => {
  const parts = partsOf(target, random.pick(target.pool));
  const paths = [
    '/',
    '/metrics',
    '/notify',
    '/notify/',
    `${target.path}/`,
    `${target.path}x`,
    `${target.path}?a=b&__proto__=1`,
    `${target.path}%00`,
    `${target.path}%zz`,
    target.path.toUpperCase(),
    `/${target.path}`,
    `${target.path}/../../livez`,
    '/notify/alipay/sim-wechat',
    `/notify/${'x'.repeat(3_000)}/y`,
    `http://example.test${target.path}`,
    '*',
  ];
  const method = random.chance(0.5) ? random.pick(METHODS) : 'POST';
  return alone({ ...parts, method, path: random.pick(paths) }, []);
};

/** Heads that misstate the body, or are invalid. */
export const misframed: Maker = (target, random) => {
  const parts = partsOf(target, random.pick(target.pool));
  const { length } = parts.body;
  const chunk = `${length.toString(16)}\r\n`;
  const chunked = Buffer.concat([Buffer.from(chunk), parts.body, Buffer.from('\r\n0\r\n\r\n')]);
  const lies: readonly (() => FuzzRequest)[] = [
    () => alone(parts, [['content-length', String(length + random.between(1, 5_000))]]),
    () => alone(parts, [['content-length', String(random.between(0, length - 1))]]),
    () =>
      alone(parts, [
        ['content-length', random.pick(['-1', '1e3', '0x10', '', ' 12 34', '9'.repeat(30)])],
      ]),
    () => alone(parts, []),
    () =>
      alone(parts, [
        ['content-length', String(length)],
        ['content-length', '1'],
      ]),
    () =>
      alone(parts, [
        ['content-length', String(length)],
        ['transfer-encoding', 'chunked'],
      ]),
    () => alone({ ...parts, body: chunked }, [['transfer-encoding', 'chunked']]),
    () =>
      alone({ ...parts, body: mutateBytes(chunked, random) }, [['transfer-encoding', 'chunked']]),
    () => alone(parts, [['transfer-encoding', random.pick(['gzip, chunked', 'identity', 'x'])]]),
    () =>
      alone({ ...parts, version: random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '']) }, [
        ['content-length', String(length)],
      ]),
    () =>
      alone(parts, [
        ['expect', random.pick(['100-continue', 'x'])],
        ['content-length', String(length)],
      ]),
    () =>
      alone(parts, [
        ['connection', 'upgrade'],
        ['upgrade', 'websocket'],
        ['content-length', String(length)],
      ]),
    () =>
      alone(parts, [
        ['x-long', 'y'.repeat(random.between(4_000, 40_000))],
        ['content-length', String(length)],
      ]),
    () => ({
      kind: 'hostile',
      wellFramed: false,
      bytes: mutateBytes(wellFramed(parts).bytes, random),
    }),
    () => ({ kind: 'hostile', wellFramed: false, bytes: arbitraryBytes(random, 2_048) }),
  ];
  return random.pick(lies)();
};

/**
 * A header's value ends with its line, and Node refuses other control characters: those are for
 * `misframed`.
 */
function printable(bytes: Buffer): string {
  const allowed = (byte: number) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f);
  return Buffer.from(bytes.map((byte) => (allowed(byte) ? byte : 0x3f))).toString('latin1');
}
