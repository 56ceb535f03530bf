import {
  type Fields,
  fieldValue,
  withFields,
  withoutFields,
} from '@payonce/testkit/signers/request';
import { wechatV2Sign } from '@payonce/testkit/signers/wechatpay-v2-wire';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { cutOf, hostileText } from '../../test/hostile-texts.js';
import { channel, KEY, NOW, PAYEE, payment, sign, signer, xml } from '../../test/wechatpay-v2.js';
import type { PaymentEvent } from '../event.js';
import { SIGNED_NAMES } from './names.js';
import { textToSign } from './sign.js';

// A few seconds when alone; the machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });
const MANY = process.env.PAYONCE_TEST_FULL === '1' ? 10 : 1;

const { verify, decode } = channel();

function said(body: Buffer) {
  const verification = verify(body);
  if (!verification.ok) return { rejected: verification.reason, events: [] };
  const { request, ...rest } = verification;
  return { ...rest, events: decode(request) };
}

const paidWith = (...changes: Fields) =>
  withFields([...signer.payment(payment).content.fields, ['nonce_str', 'abc']], changes);

const honest: fc.Arbitrary<Fields> = fc
  .record({
    result: fc.constantFrom('SUCCESS', 'SUCCESS', 'SUCCESS', 'FAIL'),
    without: fc.subarray(['fee_type', 'is_subscribe', 'sign_type', 'openid', 'cash_fee']),
    more: fc.subarray<Fields[number]>([
      ['trade_state', 'SUCCESS'],
      ['contract_id', 'C1'],
      ['sub_mch_id', '1900000101'],
      ['sub_appid', PAYEE.appId],
      ['coupon_fee_0', '10'],
      ['fee_type', 'USD'],
    ]),
  })
  .map(({ result, without, more }) =>
    withFields(withoutFields(paidWith(['result_code', result]), ...without), more),
  );

const NAMES = [...SIGNED_NAMES.roles.keys(), 'sign', 'notify_url', 'plan_id', 'timestamp', 'body'];
const VALUES = [
  'SUCCESS',
  'FAIL',
  'NOTPAY',
  '1',
  'B-2',
  '4200000000000000000000000009',
  '20200101000000',
  'USD',
  'CNY',
  'ADD',
  '1900000101',
  'MICROPAY',
  PAYEE.merchantId,
  PAYEE.appId,
];
const TEXTS = ['attach', 'device_info', 'promotion_detail', 'return_msg', 'a_new_one', 'z_new_one'];
const texts = fc.uniqueArray(fc.tuple(fc.constantFrom(...TEXTS), hostileText(NAMES, VALUES)), {
  selector: ([name]) => name,
  minLength: 1,
  maxLength: 3,
});
const glue = fc.array(fc.boolean(), { minLength: 80, maxLength: 80 });

/** Unproved times are unknown: everything else must equal the genuine one. */
function withTimesOf(event: PaymentEvent | undefined, other: PaymentEvent | undefined) {
  if (event?.kind !== 'order' || other?.kind !== 'order') return event;
  const facts = event.facts.map((fact, index) => {
    const at = other.facts[index]?.at;
    return fact.at === null && at ? { ...fact, at } : fact;
  });
  return { ...event, facts };
}

describe('whatever buyers and merchants write into a payment result', () => {
  test('it means what WeChat said, or is held as ambiguous', () => {
    const count = { ambiguous: 0, same: 0, rejected: 0 };
    fc.assert(
      fc.property(honest, texts, (fields, hostile) => {
        const result = said(sign(withFields(fields, hostile)));
        if ('rejected' in result && result.rejected !== undefined) {
          // Only a field that is unknown today, at the very beginning or end, could belong to
          // another message.
          expect(hostile.map(([name]) => name).filter((name) => /new/.test(name))).not.toEqual([]);
          count.rejected += 1;
          return;
        }
        const [event] = result.events;
        if (event?.kind === 'unsupported' && event.says.startsWith('ambiguous')) {
          count.ambiguous += 1;
          return;
        }
        count.same += 1;
        const plain = hostile.map(([name]) => [name, 'x'] as const);
        const [expected] = said(sign(withFields(fields, plain))).events;
        expect(withTimesOf(event, expected)).toEqual(expected);
      }),
      { numRuns: 2_000 * MANY },
    );
    expect(count.ambiguous).toBeGreaterThan(200);
    expect(count.same).toBeGreaterThan(20);
    expect(count.rejected).toBeGreaterThan(50);
  });

  test('every cut of the signed text is the same message', () => {
    fc.assert(
      fc.property(honest, texts, fc.array(glue, { maxLength: 4 }), (fields, hostile, glued) => {
        const whole = withFields(fields, hostile);
        const signature = wechatV2Sign(whole, KEY, 'HMAC-SHA256');
        const text = textToSign(new Map(whole));
        const cuts = glued.map((one) => cutOf(text, (index) => one[index] ?? false, false));
        const all = [
          whole,
          cutOf(text, () => true, false),
          cutOf(text, () => false, false),
          ...cuts,
        ];
        const verdicts = all.map((cut) => said(xml([...cut, ['sign', signature]])));
        for (const verdict of verdicts) expect(verdict).toEqual(verdicts[0]);
      }),
      { numRuns: 500 * MANY },
    );
  });

  test('thousands of cuts of one captured payment are one message with its one event', () => {
    const fields = paidWith(['attach', 'x']);
    const signature = wechatV2Sign(fields, KEY, 'HMAC-SHA256');
    const text = textToSign(new Map(fields));
    const first = said(sign(fields));
    const bodies = new Set<string>();
    for (let count = 0; count < 1_000 * MANY; count += 1) {
      const glued = (index: number) => ((count * 2_654_435_761) >>> (index % 31)) % 2 === 1;
      const recut = xml([...cutOf(text, glued, false), ['sign', signature]]);
      bodies.add(recut.toString());
      expect(said(recut)).toEqual(first);
    }
    expect(bodies.size).toBeGreaterThan(900 * MANY);
    if (MANY > 1) console.log(`${bodies.size} cuts of one v2 payment: 1 ID, 1 digest, 1 event`);
  });

  test('a copy that is sent again is the same content, with or without sign_type', () => {
    fc.assert(
      fc.property(honest, texts, (fields, hostile) => {
        const whole = withoutFields(withFields(fields, hostile), 'nonce_str');
        const first = said(sign([...whole, ['nonce_str', 'one']]));
        expect(said(sign([...whole, ['nonce_str', 'two']]))).toEqual(first);
        const untyped = said(sign([...withoutFields(whole, 'sign_type'), ['nonce_str', 'three']]));
        if ('digest' in first && 'digest' in untyped) expect(untyped.digest).toBe(first.digest);
      }),
      { numRuns: 200 * MANY },
    );
  });
});

describe('the content of a text', () => {
  const expected = said(sign(paidWith(['attach', 'x']))).events;

  test.each<Fields[number]>([
    ['attach', 'shop=1&user=2&version=3&is_subscribe=Y'],
    ['attach', 'x&time_end=20200101000000'],
    ['device_info', 'WEB&openid=1&coupon_fee=1'],
  ])('%s %s contains nothing that decides: paid', (name, value) => {
    expect(expected).toMatchObject([{ kind: 'order', facts: [{ kind: 'paid', at: NOW }] }]);
    expect(said(sign(paidWith([name, value]))).events).toEqual(expected);
  });

  test('fee_type=CNY behind a device means the same as absence', () => {
    const fields = withoutFields(
      paidWith(['attach', 'x'], ['device_info', 'x&fee_type=CNY']),
      'fee_type',
    );
    expect(said(sign(fields)).events).toEqual(expected);
  });

  test.each<[string, Fields]>([
    ['an amount', [['attach', 'x&total_fee=1']]],
    ['another order', [['attach', 'x&out_trade_no=B-2']]],
    ['another result', [['device_info', 'x&result_code=FAIL']]],
    [
      'a currency',
      [
        ['device_info', 'x&fee_type=USD'],
        ['fee_type', ''],
      ],
    ],
    ['a sub-merchant', [['return_msg', 'x&sub_mch_id=1900000101']]],
    ['a state', [['attach', 'x&trade_state=NOTPAY']]],
    ['a contract', [['attach', 'x&change_type=ADD&contract_id=1']]],
    [
      'what only other messages carry',
      [['attach', `site=7&mch_id=${PAYEE.merchantId}&notify_url=https://shop.example/cb`]],
    ],
  ])('%s in a text is held as ambiguous', (_, changes) => {
    expect(said(sign(paidWith(...changes))).events).toMatchObject([
      { kind: 'unsupported', says: expect.stringMatching(/^ambiguous: /) },
    ]);
  });
});

describe('other messages that the key signs', () => {
  const common: Fields = [
    ['appid', PAYEE.appId],
    ['mch_id', PAYEE.merchantId],
    ['nonce_str', 'abc'],
  ];
  const answer: Fields = [
    ['return_code', 'SUCCESS'],
    ['return_msg', 'OK'],
    ['result_code', 'SUCCESS'],
    ...common,
  ];
  const paidFields = withoutFields(paidWith(), 'sign_type', 'nonce_str');

  /** Each has a field with a text chosen by another party. */
  const OTHERS: readonly (readonly [title: string, fields: Fields, text: string])[] = [
    [
      'an address that signs a contract',
      [
        ['appid', PAYEE.appId],
        ['contract_code', '1'],
        ['mch_id', PAYEE.merchantId],
        ['notify_url', 'https://shop.example/notify'],
        ['plan_id', '12'],
        ['request_serial', '1'],
        ['timestamp', '1795152000'],
        ['version', '1.0'],
      ],
      'contract_display_account',
    ],
    [
      'the same with an identity behind its merchant number',
      [
        ['appid', PAYEE.appId],
        ['mch_id', PAYEE.merchantId],
        ['notify_url', 'https://shop.example/notify'],
        ['plan_id', '12'],
        ['timestamp', '1795152000'],
        ['version', '1.0'],
      ],
      'outerid',
    ],
    [
      'a request for a new order',
      [
        ...common,
        ['body', 'x'],
        ['notify_url', 'https://shop.example/notify'],
        ['out_trade_no', 'A-1'],
        ['spbill_create_ip', '127.0.0.1'],
        ['total_fee', '1'],
        ['trade_type', 'JSAPI'],
      ],
      'attach',
    ],
    [
      'a request with a scanned code',
      [
        ...common,
        ['auth_code', '1'],
        ['body', 'x'],
        ['out_trade_no', 'A-1'],
        ['spbill_create_ip', '127.0.0.1'],
        ['total_fee', '1'],
      ],
      'detail',
    ],
    [
      'a request for a refund',
      [
        ...common,
        ['out_refund_no', 'R-1'],
        ['out_trade_no', 'A-1'],
        ['refund_fee', '1'],
        ['total_fee', '1'],
        ['transaction_id', payment.trade],
      ],
      'refund_desc',
    ],
    [
      'a red packet',
      [
        ['act_name', 'x'],
        ['client_ip', '127.0.0.1'],
        ['mch_billno', '1'],
        ['mch_id', PAYEE.merchantId],
        ['nonce_str', 'abc'],
        ['re_openid', 'o'],
        ['total_amount', '1'],
        ['wxappid', PAYEE.appId],
      ],
      'wishing',
    ],
    ['a link of native payment', [...common, ['time_stamp', '1']], 'product_id'],
    [
      'the parameters of a page',
      [
        ['appId', PAYEE.appId],
        ['nonceStr', 'x'],
        ['signType', 'HMAC-SHA256'],
        ['timeStamp', '1'],
      ],
      'package',
    ],
    [
      'the parameters of an app',
      [
        ['appid', PAYEE.appId],
        ['noncestr', 'x'],
        ['package', 'Sign=WXPay'],
        ['partnerid', PAYEE.merchantId],
        ['timestamp', '1'],
      ],
      'prepayid',
    ],
    [
      'the answer to a new order',
      [...answer, ['code_url', 'weixin://x'], ['prepay_id', 'x'], ['trade_type', 'NATIVE']],
      'device_info',
    ],
    [
      'the answer to the query of an order',
      [
        ...paidFields,
        ['nonce_str', 'abc'],
        ['trade_state', 'SUCCESS'],
        ['trade_state_desc', '成功'],
      ],
      'attach',
    ],
    [
      'the answer to a scanned code',
      withFields([...paidFields, ['nonce_str', 'abc']], [['trade_type', 'MICROPAY']]),
      'attach',
    ],
    [
      'the answer to a refund',
      [
        ...answer,
        ['out_refund_no', 'R-1'],
        ['out_trade_no', 'A-1'],
        ['refund_fee', '1'],
        ['refund_id', '5'],
        ['total_fee', '1'],
        ['transaction_id', payment.trade],
      ],
      'device_info',
    ],
  ];

  const aPayment = textToSign(new Map(paidWith(['attach', 'x'])));
  const text = fc.oneof(
    hostileText(NAMES, VALUES),
    // The strongest attack: a payment's whole text, or parts of it, in order.
    fc
      .tuple(
        fc.subarray(aPayment.split('&')),
        fc.constantFrom('', '&zz=1', '&device_info=1', '&u=y'),
        fc.constantFrom('', 'attach=1&', 'b=1&', 'n=1&'),
      )
      .map(([pieces, behind, before]) => `x&${before}${pieces.join('&')}${behind}`),
    fc.constant(`x&${aPayment}`),
    fc.constant(`x&${aPayment}&zz=1`),
    // Up to an open text that swallows the signer's fields behind it.
    fc
      .tuple(fc.nat(aPayment.split('&').length), fc.constantFrom('total_zz', 'nz', 'device_info'))
      .map(([end, open]) => `x&${aPayment.split('&').slice(1, end).join('&')}&${open}=1`),
  );

  test.each(OTHERS)(
    '%s becomes no notification, whatever a text in it contains and however it is cut',
    (_, fields, name) => {
      fc.assert(
        fc.property(text, glue, (hostile, glued) => {
          const before = fieldValue(fields, name);
          const all = withFields(fields, [[name, `${before ?? ''}${hostile}`]]);
          const signature = wechatV2Sign(all, KEY, 'HMAC-SHA256');
          const cut = cutOf(textToSign(new Map(all)), (index) => glued[index] ?? false, false);
          for (const one of [all, cut]) {
            expect(said(xml([...one, ['sign', signature]]))).toEqual({
              rejected: 'not_a_notification',
              events: [],
            });
          }
        }),
        { numRuns: 100 * MANY },
      );
    },
  );

  test('a contract notice never becomes a payment, whatever the buyer’s name in it contains', () => {
    const contract: Fields = [
      ['change_type', 'ADD'],
      ['contract_code', '1'],
      ['contract_id', 'C1'],
      ['mch_id', PAYEE.merchantId],
      ['openid', 'o'],
      ['operate_time', '2026-11-20 16:00:00'],
      ['plan_id', '12'],
      ['request_serial', '1'],
      ['result_code', 'SUCCESS'],
      ['return_code', 'SUCCESS'],
    ];
    expect(said(sign(contract))).toMatchObject({ notificationId: 'contract-C1-ADD' });
    fc.assert(
      fc.property(text, glue, (hostile, glued) => {
        const all = withFields(contract, [['contract_display_account', `x${hostile}`]]);
        const signature = wechatV2Sign(all, KEY, 'HMAC-SHA256');
        const cut = cutOf(textToSign(new Map(all)), (index) => glued[index] ?? false, false);
        const verdicts = [all, cut].map((one) => said(xml([...one, ['sign', signature]])));
        expect(verdicts[1]).toEqual(verdicts[0]);
        for (const { events } of verdicts) {
          expect(events.filter(({ kind }) => kind !== 'unsupported')).toEqual([]);
        }
      }),
      { numRuns: 300 * MANY },
    );
  });

  test('with a whole payment in each of its texts', () => {
    for (const [title, fields, name] of OTHERS) {
      for (const behind of ['', '&zz=1', '&attach=1', '&device_info=1']) {
        const all = withFields(fields, [[name, `x&${aPayment}${behind}`]]);
        expect(said(sign(all)), `${title}${behind}`).toEqual({
          rejected: 'not_a_notification',
          events: [],
        });
      }
    }
  });
});
