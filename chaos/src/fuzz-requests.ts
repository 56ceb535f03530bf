import type { SignedRequest } from '@payonce/testkit/request';
import { arbitraryBytes, mutateBytes, mutateFields } from './fuzz-bytes.js';
import type { Genuine, Target } from './fuzz-genuine.js';
import type { WireRequest } from './fuzz-wire.js';
import type { Random } from './random.js';

/** What is sent, and what may come back. */
export interface FuzzRequest extends WireRequest {
  /**
   * - `genuine`: must be acknowledged
   * - `signed`: genuinely signed, of hostile content, for a channel of its own: may be acknowledged
   * - `hostile`: must not be acknowledged, unless it still says just what a genuine one says
   */
  readonly kind: 'genuine' | 'signed' | 'hostile';
}

interface Parts {
  readonly method: string;
  readonly path: string;
  readonly version: string;
  /** In this order, doubled names as they come. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

type Maker = (target: Target, random: Random) => FuzzRequest;

/** Larger than the gateway takes. */
const HUGE_BYTES = 300 * 1024;
/** As large as it does take. */
const LARGE_BYTES = 250 * 1024;

const genuine: Maker = (target, random) =>
  wellFramed(partsOf(target, random.pick(target.pool)), 'genuine');

const signed: Maker = (target, random) => {
  const request = target.signHostile(random);
  return wellFramed({ ...partsOf(target, request), path: target.ownPath }, 'signed');
};

const forged: Maker = (target, random) =>
  wellFramed(partsOf(target, random.pick(target.pool).forge(random)));

const arbitrary: Maker = (target, random) => {
  const most = random.chance(0.01) ? LARGE_BYTES : 4_096;
  const { headers } = random.pick(target.pool);
  return wellFramed(partsOf(target, { headers, body: arbitraryBytes(random, most) }));
};

const mutatedBody: Maker = (target, random) => {
  const { headers, body } = random.pick(target.pool);
  return wellFramed(partsOf(target, { headers, body: mutateBytes(body, random) }));
};

const mutatedFields: Maker = (target, random) => {
  const { headers, body } = random.pick(target.pool);
  const changed = mutateFields(body, target.separator, random);
  return wellFramed(partsOf(target, { headers, body: changed }));
};

/** The head of one message with the body of another; or the end of one behind the beginning of another. */
const spliced: Maker = (target, random) => {
  const [one, other] = [random.pick(target.pool), random.pick(target.pool)];
  const at = random.between(0, one.body.length);
  const body = Buffer.concat([one.body.subarray(0, at), other.body.subarray(at)]);
  return wellFramed(partsOf(target, { headers: other.headers, body }));
};

const huge: Maker = (target, random) => {
  const { headers, body } = random.pick(target.pool);
  const more = Buffer.alloc(HUGE_BYTES, random.pick(['&a=b', '<a>1</a>', '[', ' ', '\0']));
  // It is refused unread: whether the reply is still heard is a matter of luck.
  const parts = partsOf(target, { headers, body: Buffer.concat([body, more]) });
  return alone(parts, [['content-length', String(parts.body.length)]]);
};

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

const mutatedHeaders: Maker = (target, random) => {
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

/** What is not the notify route at all. Other methods and paths are answered unread. */
const elsewhere: Maker = (target, random) => {
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

/** Heads that lie about what follows, or are none. */
const misframed: Maker = (target, random) => {
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

const SHARES: readonly (readonly [share: number, maker: Maker])[] = [
  [3, genuine],
  [4, signed],
  [3, forged],
  [12, arbitrary],
  [34, mutatedBody],
  [20, mutatedFields],
  [5, spliced],
  [13, mutatedHeaders],
  [2, elsewhere],
  [4, misframed],
];
const BAG = SHARES.flatMap(([share, maker]) => Array.from({ length: share }, () => maker));
/** Each moves a third of a megabyte. */
const HUGE_CHANCE = 0.001;

export function fuzzRequest(target: Target, random: Random): FuzzRequest {
  return (random.chance(HUGE_CHANCE) ? huge : random.pick(BAG))(target, random);
}

/** As the provider sends it. */
export function genuineRequest(target: Target, notification: Genuine): FuzzRequest {
  return wellFramed(partsOf(target, notification), 'genuine');
}

function partsOf({ path }: Target, { headers, body }: SignedRequest): Parts {
  return { method: 'POST', path, version: 'HTTP/1.1', headers: Object.entries(headers), body };
}

function wellFramed(parts: Parts, kind: FuzzRequest['kind'] = 'hostile'): FuzzRequest {
  const length = ['content-length', String(parts.body.length)] as const;
  return { kind, wellFramed: true, bytes: bytesOf(parts, [...parts.headers, length]) };
}

function alone(parts: Parts, framing: Parts['headers']): FuzzRequest {
  return {
    kind: 'hostile',
    wellFramed: false,
    bytes: bytesOf(parts, [...parts.headers, ...framing]),
  };
}

function bytesOf({ method, path, version, body }: Parts, headers: Parts['headers']): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${path} ${version}\r\nhost: shop.example\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** A header's value ends with its line, and Node refuses other control characters: those are for `misframed`. */
function printable(bytes: Buffer): string {
  const allowed = (byte: number) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f);
  return Buffer.from(bytes.map((byte) => (allowed(byte) ? byte : 0x3f))).toString('latin1');
}
