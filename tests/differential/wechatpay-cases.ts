import fc from 'fast-check';
import { newName, value } from './cases.js';
import { flipped } from './changes.js';
import { PAYEE, type Request } from './wechatpay-sides.js';

/**
 * A notification before it is sealed and signed: WeChat's fields, with any text in the free ones.
 */
export const content = fc
  .record({
    eventType: fc.constantFrom('TRANSACTION.SUCCESS', 'REFUND.SUCCESS', 'PAYSCORE.USER_PAID'),
    id: fc.uuid(),
    summary: value,
    attach: value,
    extra: fc.tuple(newName, value),
    amount: fc.nat(100_000_000),
    associatedData: fc.oneof(fc.constantFrom('transaction', 'refund', '', undefined), value),
    nonce: fc.stringMatching(/^[A-Za-z0-9]{12}$/),
  })
  .map(({ summary, attach, extra: [name, text], amount, ...envelope }) => ({
    ...envelope,
    summary,
    resource: {
      mchid: PAYEE.merchantId,
      appid: PAYEE.appId,
      out_trade_no: 'order-1',
      transaction_id: '4200000000202611230000000001',
      trade_state: 'SUCCESS',
      attach,
      [name]: text,
      success_time: '2026-11-23T16:32:00+08:00',
      amount: { total: amount, payer_total: amount, currency: 'CNY' },
    },
  }));

export type Content = typeof content extends fc.Arbitrary<infer T> ? T : never;

/** Several ways to write one JSON: WeChat's is not canonical, and all are signed as bytes. */
export const writers: Readonly<Record<string, (json: object) => string>> = {
  compact: (json) => JSON.stringify(json),
  indented: (json) => JSON.stringify(json, null, 2),
  'with escaped slashes': (json) => JSON.stringify(json).replaceAll('/', '\\/'),
  'in ASCII': (json) => JSON.stringify(json).replace(/[^ -~]/g, escaped),
  'with blanks around': (json) => ` ${JSON.stringify(json)}\r\n`,
};

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const HEADERS = [
  'wechatpay-timestamp',
  'wechatpay-nonce',
  'wechatpay-serial',
  'wechatpay-signature',
] as const;
type Header = (typeof HEADERS)[number];

/** Possible changes on the way to a request that WeChat signed. */
export type Change =
  | { readonly kind: 'nothing' | 'other key’s serial' | 'parsed and written again' | 'probe' }
  | { readonly kind: 'foreign key' | 'signature of another message' }
  | { readonly kind: 'flip in the body'; readonly at: number; readonly bit: number }
  | {
      readonly kind: 'flip in a header';
      readonly name: Header;
      readonly at: number;
      readonly bit: number;
    }
  | { readonly kind: 'drop a header' | 'double a header' | 'empty a header'; readonly name: Header }
  | { readonly kind: 'cut the signature'; readonly length: number }
  | { readonly kind: 'cut the body' | 'add to the body'; readonly text: string };

const at = fc.nat(10_000);
const name = fc.constantFrom(...HEADERS);

export const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('nothing', 'nothing', 'other key’s serial', 'probe') }),
  fc.record({ kind: fc.constantFrom('foreign key', 'signature of another message') }),
  fc.record({ kind: fc.constant('parsed and written again') }),
  fc.record({ kind: fc.constant('flip in the body'), at, bit: fc.nat(7) }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('flip in a header'), name, at, bit: fc.nat(6) }),
  },
  fc.record({ kind: fc.constantFrom('drop a header', 'double a header', 'empty a header'), name }),
  fc.record({ kind: fc.constant('cut the signature'), length: fc.nat(400) }),
  fc.record({
    kind: fc.constantFrom('cut the body', 'add to the body'),
    text: fc.constantFrom(' ', '\n', '}', ' {}', '\u0000'),
  }),
);

interface Forgery {
  readonly otherSerial: string;
  /** Over the same timestamp, nonce and body, with a key that is not WeChat's. */
  readonly foreign: (request: Request) => string;
  readonly signatureOfAnother: string;
}

export function changed(request: Request, change: Change, forgery: Forgery): Request {
  const { body, headers } = request;
  const header = (name: string) => headers[name] ?? '';
  const withHeader = (name: string, text: string) => ({
    body,
    headers: { ...headers, [name]: text },
  });
  const signature = header('wechatpay-signature');
  switch (change.kind) {
    case 'nothing':
      return request;
    case 'other key’s serial':
      return withHeader('wechatpay-serial', forgery.otherSerial);
    case 'probe':
      return withHeader('wechatpay-signature', `WECHATPAY/SIGNTEST/${signature}`);
    case 'foreign key':
      return withHeader('wechatpay-signature', forgery.foreign(request));
    case 'signature of another message':
      return withHeader('wechatpay-signature', forgery.signatureOfAnother);
    case 'parsed and written again':
      return { headers, body: Buffer.from(JSON.stringify(JSON.parse(body.toString('utf8')))) };
    case 'flip in the body':
      return { headers, body: flipped(body, change) };
    case 'flip in a header': {
      const bytes = flipped(Buffer.from(header(change.name), 'latin1'), change);
      return withHeader(change.name, bytes.toString('latin1'));
    }
    case 'drop a header': {
      const { [change.name]: _, ...others } = headers;
      return { body, headers: others };
    }
    case 'double a header':
      return withHeader(change.name, `${header(change.name)}, ${header(change.name)}`);
    case 'empty a header':
      return withHeader(change.name, '');
    case 'cut the signature':
      return withHeader(
        'wechatpay-signature',
        signature.slice(0, change.length % signature.length),
      );
    case 'cut the body':
      return { headers, body: body.subarray(0, -change.text.length) };
    case 'add to the body':
      return { headers, body: Buffer.concat([body, Buffer.from(change.text)]) };
  }
}
