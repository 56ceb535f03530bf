import type { AlipayMessage } from '@payonce/providers/alipay/verify';
import { signAlipayFields } from '@payonce/testkit/signers/alipay-wire';
import { generateRsaKeyPair, issueCertificate } from '@payonce/testkit/signers/keys';
import type { Fields } from '@payonce/testkit/signers/request';
import fc from 'fast-check';
import { afterAll, expect, test, vi } from 'vitest';
import {
  APP_ID,
  asFrameworksParse,
  createSides,
  encoders,
  refusedByUsAlone,
  type Sides,
  sdkAccepts,
  sdkVerdict,
} from './alipay-sides.js';
import { createTally, forAll, newName, value } from './cases.js';
import { type Change, change, changed, flipped } from './changes.js';

const tally = createTally('alipay-sdk 4.14');
afterAll(tally.print);
// A few seconds when alone; the machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const foreignKey = generateRsaKeyPair().privateKey;

/** The part that makes the message a notification; the rest may contain anything. */
const head: fc.Arbitrary<Fields> = fc
  .record({
    // An ID has no `&`: the signed text ends it there.
    id: fc.oneof(fc.stringMatching(/^[0-9a-f]{34}$/), fc.stringMatching(/^[!-%'-~]{1,128}$/)),
    kind: fc.constantFrom<Fields[number]>(
      ['notify_type', 'trade_status_sync'],
      ['notify_type', 'servicemarket_order_notify'],
      ['msg_method', 'alipay.fund.trans.order.changed'],
    ),
    charset: fc.constantFrom('utf-8', 'UTF-8'),
  })
  .map(({ id, kind, charset }) => [
    ['notify_id', id],
    kind,
    ['charset', charset],
    ['app_id', APP_ID],
    ['version', '1.0'],
    ['notify_time', '2026-11-23 16:32:00'],
    ['out_trade_no', 'order-1'],
    ['trade_no', '2026112322001400000000000001'],
    ['trade_status', 'TRADE_SUCCESS'],
    ['total_amount', '88.80'],
  ]);

const FREE = [
  'subject',
  'body',
  'passback_params',
  'fund_bill_list',
  'voucher_detail_list',
  'buyer_logon_id',
];
const free: fc.Arbitrary<Fields> = fc.uniqueArray(
  fc.tuple(fc.oneof(fc.constantFrom(...FREE), newName), value),
  { selector: ([name]) => name, maxLength: 8 },
);

const notice = fc.record({
  fields: fc.tuple(head, free).map(([a, b]) => [...a, ...b]),
  signedBy: fc.constantFrom('trade notice', 'service notice', 'sdk'),
  encode: fc.constantFrom(...Object.keys(encoders)).map((name) => encoders[name] ?? fail(name)),
  changes: fc.array(change, { minLength: 4, maxLength: 4 }),
});

function signed(sides: Sides, fields: Fields, signedBy: string): Fields {
  if (signedBy === 'sdk') return sides.signBySdk(fields);
  return sides.sign(fields, signedBy === 'service notice');
}

function fail(name: string): never {
  throw new Error(`no ${name}`);
}

const sides = createSides();

test('everything that the SDK signs or accepts we accept, and read as the SDK reads it', () => {
  forAll(notice, 350, ({ fields, signedBy, encode }) => {
    const body = encode(signed(sides, fields, signedBy));
    const parsed = asFrameworksParse(body);
    expect(sdkVerdict(sides.sdk, parsed)).toBe('accepted');
    const verification = sides.ours(body);
    if (!verification.ok) return expect(verification.reason).toBe('accepted');
    const { form } = verification.request.message as AlipayMessage;
    expect(
      Object.fromEntries(
        form.layout.names.map((name) => [
          name,
          Buffer.from(form.get(name) ?? '', 'latin1').toString(),
        ]),
      ),
    ).toEqual({
      ...parsed,
    });
    tally.add('genuine');
  });
});

test('a message that was changed on its way is accepted by both or refused by both', () => {
  const ofAnother = sides.sign([['notify_id', 'another']]).at(-1)?.[1] ?? '';
  forAll(notice, 300, ({ fields, signedBy, encode, changes }) => {
    const genuine = signed(sides, fields, signedBy);
    const signTypeIsSigned = signedBy !== 'trade notice';
    const foreign = (all: Fields) => resign(all, signTypeIsSigned);
    for (const one of changes) {
      const body = wire(encode, genuine, one, { foreign, ofAnother });
      tally.add(compare(sides, body, one));
    }
  });
  expect(tally.of('accepted')).toBeGreaterThan(60);
  expect(tally.of('refused')).toBeGreaterThan(800);
});

/** Throws where the two disagree without a known reason. */
function compare(both: Sides, body: Buffer, one: Change): string {
  const alone = refusedByUsAlone(body);
  const bySdk = sdkAccepts(both.sdk, body);
  const ours = both.ours(body).ok;
  expect({ ours, change: one }).toEqual({ ours: bySdk && alone === null, change: one });
  if (bySdk && alone !== null) return `refused by us alone: ${alone}`;
  return ours ? 'accepted' : 'refused';
}

function wire(
  encode: (fields: Fields) => Buffer,
  fields: Fields,
  one: Change,
  signatures: Parameters<typeof changed>[2],
): Buffer {
  const body = encode(changed(fields, one, signatures));
  return one.kind === 'flip' ? flipped(body, one) : body;
}

function resign(fields: Fields, signTypeIsSigned: boolean): string {
  return signAlipayFields(fields, { privateKey: foreignKey, signTypeIsSigned }).at(-1)?.[1] ?? '';
}

test('in certificate mode both find the key in the certificate', async () => {
  const pair = generateRsaKeyPair();
  const { pem } = await issueCertificate(pair);
  const certified = createSides({ pair, certificate: pem });
  forAll(notice, 50, ({ fields, signedBy, encode }) => {
    const genuine = signed(certified, fields, signedBy);
    const forged = signed(sides, fields, signedBy);
    const verdicts = [genuine, forged]
      .map(encode)
      .map((body) => [sdkVerdict(certified.sdk, asFrameworksParse(body)), certified.ours(body).ok]);
    expect(verdicts).toEqual([
      ['accepted', true],
      ['refused', false],
    ]);
    tally.add('certificate mode');
  });
});

test('an old app of sign type RSA is judged alike: SHA-1, a key of 1024 bits', () => {
  const old = createSides({ signType: 'RSA', pair: generateRsaKeyPair(1024) });
  const signatures = { foreign: () => 'AAAA', ofAnother: 'QUJD' };
  forAll(notice, 60, ({ fields, signedBy, encode, changes }) => {
    const genuine = signed(old, fields, signedBy);
    for (const one of [{ kind: 'nothing' } as const, ...changes]) {
      const body = wire(encode, genuine, one, signatures);
      tally.add(`RSA: ${compare(old, body, one)}`);
    }
  });
  expect(tally.of('RSA: accepted')).toBeGreaterThan(50);
});
