import { randomApiKey } from '@payonce/testkit/signers/keys';
import type { Fields } from '@payonce/testkit/signers/request';
import {
  sealReqInfo,
  type WechatV2SignType,
  wechatV2Xml,
} from '@payonce/testkit/signers/wechatpay-v2-wire';
import fc from 'fast-check';
import { afterAll, expect, test, vi } from 'vitest';
import { Transformer } from 'wechatpay-axios-plugin';
import { createTally, forAll, newName, value } from './cases.js';
import { change, changed, flipped } from './changes.js';
import {
  createSides,
  inner,
  PAYEE,
  readBy,
  type Sides,
  sdkXml,
  writers,
} from './wechatpay-v2-sides.js';

const tally = createTally('wechatpay-axios-plugin 0.9.6, API v2');
afterAll(tally.print);
// A second or two when alone; the machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const foreignKey = randomApiKey();
const both: Readonly<Record<WechatV2SignType, Sides>> = {
  'HMAC-SHA256': createSides('HMAC-SHA256'),
  MD5: createSides('MD5'),
};

const HEAD: Fields = [
  ['return_code', 'SUCCESS'],
  ['result_code', 'SUCCESS'],
  ['appid', PAYEE.appId],
  ['mch_id', PAYEE.merchantId],
  ['nonce_str', '5K8264ILTKCH16CQ2502SI8ZNMTM67VS'],
  ['out_trade_no', 'order-1'],
  ['transaction_id', '4200000000202611230000000001'],
  ['total_fee', '8888'],
  ['time_end', '20261123163200'],
];
const FREE = ['attach', 'device_info', 'bank_type', 'err_code_des', 'promotion_detail', 'openid'];
const free: fc.Arbitrary<Fields> = fc.uniqueArray(
  fc.tuple(
    fc.oneof(fc.constantFrom(...FREE), newName),
    fc.oneof(value, fc.constantFrom(']]>', 'a]]>b', '<![CDATA[x]]>', '</attach>')),
  ),
  { selector: ([name]) => name, maxLength: 8 },
);

const notification = fc.record({
  free,
  signType: fc.constantFrom<WechatV2SignType>('HMAC-SHA256', 'MD5'),
  signedBy: fc.constantFrom('Hash', 'Transformer'),
  writer: fc.constantFrom(...Object.values(writers)),
  changes: fc.array(change, { minLength: 4, maxLength: 4 }),
});
type Notification = typeof notification extends fc.Arbitrary<infer T> ? T : never;

/** Genuinely signed by the SDK; names the algorithm where its `Transformer` needs it. */
function signed({ free, signType, signedBy, writer }: Notification): Fields {
  const fields = [...HEAD, ...free].map(([name, text]) => [name, writer.fit(text)] as const);
  if (signedBy === 'Hash') return both[signType].sign(fields);
  return both[signType].signBySdk([...fields, ['sign_type', signType]]);
}

test('everything that the SDK signs we accept, however it is written, and read as the SDK reads it', () => {
  forAll(notification, 600, (one) => {
    const sides = both[one.signType];
    const fields = signed(one);
    const xml = one.writer.write(fields);
    expect(sides.sdkAccepts(xml)).toBe(true);
    expect(Transformer.toObject(xml)).toEqual(Object.fromEntries(fields));
    expect(readBy(sides.ours(xml))).toEqual(Object.fromEntries(fields));
    tally.add(`genuine, ${one.signType}`);
  });
});

test('a message that was changed on its way is accepted by both or refused by both', () => {
  forAll(notification, 500, (one) => {
    const sides = both[one.signType];
    const genuine = signed(one);
    const signatures = {
      foreign: (fields: Fields) =>
        sides.sign(unsigned(fields), one.signType, foreignKey).at(-1)?.[1] ?? '',
      ofAnother: sides.sign([['return_code', 'SUCCESS']]).at(-1)?.[1] ?? '',
    };
    for (const change of one.changes.filter(({ kind }) => kind !== 'flip')) {
      const fields = changed(genuine, change, signatures).map(
        ([name, text]) => [name, one.writer.fit(text)] as const,
      );
      const xml = one.writer.write(fields);
      const bySdk = sides.sdkAccepts(xml);
      const ours = sides.ours(xml).ok;
      expect({ ours, change }).toEqual({ ours: bySdk, change });
      tally.add(ours ? 'accepted' : 'refused');
    }
  });
  expect(tally.of('accepted')).toBeGreaterThan(100);
  expect(tally.of('refused')).toBeGreaterThan(600);
});

function unsigned(fields: Fields): Fields {
  return fields.filter(([name]) => name !== 'sign');
}

test('a flipped bit is accepted by neither, except for damaged markup, which the SDK overlooks', () => {
  const flips = fc.array(fc.record({ at: fc.nat(10_000), bit: fc.nat(7) }), {
    minLength: 4,
    maxLength: 4,
  });
  forAll(fc.tuple(notification, flips), 400, ([one, bits]) => {
    const sides = both[one.signType];
    const genuine = signed(one);
    for (const flip of bits) {
      const body = flipped(Buffer.from(one.writer.write(genuine)), flip);
      const bySdk = sides.sdkAccepts(body.toString('utf8'));
      const ours = sides.ours(body);
      if (bySdk && !ours.ok) {
        expect({ reason: ours.reason, flip }).toEqual({ reason: 'malformed', flip });
        tally.add('refused by us alone: damaged markup');
      } else {
        expect({ ours: ours.ok, flip }).toEqual({ ours: bySdk, flip });
        tally.add(ours.ok ? 'flipped: accepted' : 'flipped: refused');
      }
    }
  });
  expect(tally.of('flipped: refused')).toBeGreaterThan(800);
});

const REFUND: Fields = [
  ['out_trade_no', 'order-1'],
  ['transaction_id', '4200000000202611230000000001'],
  ['refund_id', '50000000002026112300000000001'],
  ['refund_status', 'SUCCESS'],
  ['refund_fee', '100'],
  ['total_fee', '8888'],
];

/** The envelope of a refund notice. It is not signed. */
function notice(reqInfo: string): string {
  return wechatV2Xml([
    ['return_code', 'SUCCESS'],
    ['appid', PAYEE.appId],
    ['mch_id', PAYEE.merchantId],
    ['req_info', reqInfo],
  ]);
}

test('a refund that the SDK sealed we open to the same fields; sealed with another key, neither does', () => {
  const sides = both.MD5;
  const { fit } = writers['as the SDK writes it'] ?? { fit: String };
  forAll(free, 300, (more) => {
    const fields = [...REFUND, ...more].map(([name, text]) => [name, fit(text)] as const);
    const plain = `<root>${inner(sdkXml(fields))}</root>`;
    // Of 16, 32, … bytes the SDK's encryption makes no padding (`wechatpay-v2-known.test.ts`).
    const whole = Buffer.byteLength(plain) % 16 === 0;
    const reqInfo = whole ? sealReqInfo(plain, sides.apiKey) : sides.seal(plain);
    expect(sides.sdkOpens(reqInfo)).toEqual(Object.fromEntries(fields));
    expect(sides.ours(notice(reqInfo))).toMatchObject({ ok: true, authenticity: 'encrypted' });
    expect(readBy(sides.ours(notice(reqInfo)))).toEqual(Object.fromEntries(fields));

    const foreign = sides.seal(plain, foreignKey);
    expect(sides.sdkOpens(foreign)?.refund_id).toBe(undefined);
    expect(sides.ours(notice(foreign))).toEqual({ ok: false, reason: 'undecryptable' });
    tally.add('refund: opened');
    tally.add('refund: other key');
  });
});
