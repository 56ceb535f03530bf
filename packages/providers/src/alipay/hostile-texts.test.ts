import { createAlipaySigner } from '@payonce/testkit/signers/alipay';
import {
  alipaySignedBytes,
  encodeForm,
  signAlipayFields,
} from '@payonce/testkit/signers/alipay-wire';
import { generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import {
  type Fields,
  fieldValue,
  withFields,
  withoutFields,
} from '@payonce/testkit/signers/request';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { cutOf, hostileText } from '../../test/hostile-texts.js';
import type { PaymentEvent } from '../event.js';
import type { Fact } from '../fact.js';
import { cutText } from '../signed-text.js';
import { alipay } from './alipay.js';
import { decode } from './decode.js';
import { TRADE_NAMES } from './names.js';
import { alipaySettings } from './settings.js';

// A few seconds when alone; the machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });
const MANY = process.env.PAYONCE_TEST_FULL === '1' ? 10 : 1;

const NOW = new Date('2026-11-23T08:32:00Z');
const PAYEE = { appId: '2021000000000001', sellerId: '2088000000000001' };
const pair = generateRsaKeyPair();
const signer = createAlipaySigner({ ...PAYEE, privateKey: pair.privateKey, clock: () => NOW });
const settings = alipaySettings.parse({
  appId: PAYEE.appId,
  sellerIds: [PAYEE.sellerId],
  publicKeys: [{ env: 'KEY' }],
});
const provider = alipay.create(settings, () => pair.publicPem);

const order = { orderNumber: 'A-1', trade: '2026112322001400000000000001', amount: 8880n };
const refund = {
  ...order,
  refundId: 'R1',
  refundAmount: 100n,
  refundedTotal: 300n,
  refundedAt: NOW,
  full: false,
};
const honest: fc.Arbitrary<Fields> = fc
  .record({
    notice: fc.constantFrom(
      signer.payment({ ...order, paidAt: NOW }),
      signer.refund({ ...refund, paidAt: NOW }),
      signer.refund({ ...refund, refundedTotal: 8880n, full: true, paidAt: NOW }),
      signer.finished({ ...order, paidAt: NOW }),
      signer.closed({ ...order, closedAt: NOW }),
      signer.waiting(order),
    ),
    without: fc.subarray(['auth_app_id', 'gmt_payment', 'gmt_close', 'gmt_create', 'buyer_id']),
    more: fc.subarray<Fields[number]>([
      ['trans_currency', 'USD'],
      ['gmt_close', '2026-11-23 16:40:00'],
      ['product_code', 'x'],
      ['sign_type', 'RSA2'],
    ]),
  })
  .map(({ notice, without, more }) =>
    withFields(withoutFields(notice.content.fields, ...without), more),
  );

const NAMES = [...TRADE_NAMES.roles.keys(), 'notify_action_type', 'utc_timestamp', 'sign'];
const VALUES = [
  '88.80',
  '0.01',
  '0.00',
  'B-2',
  'TRADE_SUCCESS',
  'TRADE_CLOSED',
  'TRADE_FINISHED',
  'trade_status_sync',
  'dut_user_sign',
  '2020-01-01 00:00:00',
  'USD',
  'CNY',
  'GBK',
  '2021000000000009',
  PAYEE.sellerId,
  PAYEE.appId,
  'alipay.trade.page.pay.return',
];
const TEXTS = ['body', 'passback_params', 'subject', 'store_note', 'attach_note'];
const texts = fc.uniqueArray(fc.tuple(fc.constantFrom(...TEXTS), hostileText(NAMES, VALUES)), {
  selector: ([name]) => name,
  minLength: 1,
  maxLength: 3,
});

const signedText = (fields: Fields, typed = false) =>
  alipaySignedBytes(fields, { signTypeIsSigned: typed }).toString('latin1');
const decoded = (fields: Fields) =>
  decode(settings, { text: cutText(signedText(fields), TRADE_NAMES) });

/** Unproved times are unknown: everything else must equal the genuine one. */
function withTimesOf(event: PaymentEvent, other: PaymentEvent): PaymentEvent {
  if (event.kind !== 'order' || other.kind !== 'order') return event;
  const facts = event.facts.map((fact, index) => {
    const at = other.facts[index]?.at;
    return fact.at === null && at ? ({ ...fact, at } as Fact) : fact;
  });
  return { ...event, facts };
}

describe('whatever buyers and merchants write into a notice', () => {
  it('it means what Alipay said, or is held as ambiguous', () => {
    let ambiguous = 0;
    let same = 0;
    fc.assert(
      fc.property(honest, texts, (fields, hostile) => {
        const plain = hostile.map(([name]) => [name, 'x'] as const);
        const event = decoded(withFields(fields, hostile));
        if (event.kind === 'unsupported' && event.says.startsWith('ambiguous')) {
          ambiguous += 1;
          return;
        }
        same += 1;
        const expected = decoded(withFields(fields, plain));
        expect(withTimesOf(event, expected)).toEqual(expected);
      }),
      { numRuns: 2_000 * MANY },
    );
    expect(ambiguous).toBeGreaterThan(200);
    expect(same).toBeGreaterThan(200);
  });

  it('every cut of the signed text is the same message', () => {
    fc.assert(
      fc.property(
        honest,
        texts,
        fc.boolean(),
        fc.array(fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), { maxLength: 4 }),
        (fields, hostile, typed, glued) => {
          const whole = withFields(fields, hostile);
          const signed = signAlipayFields(whole, {
            privateKey: pair.privateKey,
            signTypeIsSigned: typed,
          });
          const sign = fieldValue(signed, 'sign') ?? '';
          const text = alipaySignedBytes(signed, { signTypeIsSigned: typed }).toString();
          const cuts = glued.map((glue) => cutOf(text, (index) => glue[index] ?? false, true));
          const verdicts = [
            whole,
            cutOf(text, () => true, true),
            cutOf(text, () => false, true),
            ...cuts,
          ].map((cut) => said(encodeForm([...withoutFields(cut, 'sign'), ['sign', sign]])));
          for (const verdict of verdicts) expect(verdict).toEqual(verdicts[0]);
        },
      ),
      { numRuns: 150 * MANY },
    );
  });

  it('thousands of cuts of one captured notice are one message with its one event', () => {
    const { body, content } = signer.payment({ ...order, paidAt: NOW });
    const sign = new URLSearchParams(body.toString()).get('sign') ?? '';
    const text = alipaySignedBytes(content.fields).toString();
    const first = said(body);
    const bodies = new Set<string>();
    for (let count = 0; count < 1_000 * MANY; count += 1) {
      const cut = cutOf(
        text,
        (index) => ((count * 2_654_435_761) >>> (index % 31)) % 2 === 1,
        true,
      );
      const recut = encodeForm([...cut, ['sign', sign]]);
      bodies.add(recut.toString());
      expect(said(recut)).toEqual(first);
    }
    expect(bodies.size).toBeGreaterThan(900 * MANY);
    if (MANY > 1) console.log(`${bodies.size} cuts of one Alipay notice: 1 ID, 1 digest, 1 event`);
  });

  it('a copy that Alipay sends again is the same content', () => {
    fc.assert(
      fc.property(honest, texts, (fields, hostile) => {
        const first = signer.fields(withFields(fields, hostile));
        const again = signer.resend(first);
        expect(again.body.equals(first.body)).toBe(false);
        const { sentAt: _, ...one } = said(first.body);
        const { sentAt: __, ...other } = said(again.body);
        expect(other).toEqual(one);
      }),
      { numRuns: 100 },
    );
  });
});

function said(body: Buffer) {
  const verification = provider.verify({ body, headers: {}, receivedAt: NOW });
  if (!verification.ok) return { rejected: verification.reason, sentAt: null, events: [] };
  const { request, ...rest } = verification;
  return { ...rest, events: provider.decode(request) };
}

describe('texts that merchants really send', () => {
  const paid = (...changes: Fields) => {
    const [event] = said(signer.payment({ ...order, paidAt: NOW, changes }).body).events;
    return event;
  };
  const expected = paid();

  it.each<Fields[number]>([
    ['passback_params', 'uid=15&method=vip'],
    ['passback_params', 'a=1&charset=utf-8'],
    ['passback_params', 'a=1&version=2&sign_type=MD5&buyer_id=9'],
    ['passback_params', 'next=/x?method=alipay.trade.page.pay.return&method=a.return'],
    ['body', 'https://shop.example/p?id=1&method=buy'],
    ['body', 'x&method=alipay.trade.page.pay.return'],
    ['subject', 'A & B'],
  ])('%s %s contain nothing that decides: paid', (name, value) => {
    expect(expected).toMatchObject({ kind: 'order', facts: [{ kind: 'paid', at: NOW }] });
    expect(paid([name, value])).toEqual(expected);
  });

  it.each<[string, Fields]>([
    ['an amount', [['subject', 'x&total_amount=0.01']]],
    ['a refund behind passback_params', [['passback_params', 'x&refund_fee=88.80']]],
    [
      'a refund with its time in another text',
      [
        ['body', 'x&gmt_refund=2026-11-23 16:40:00'],
        ['passback_params', 'x&refund_fee=88.80'],
      ],
    ],
    [
      'a refund with its time behind a charset of its own',
      [
        ['body', 'x&charset=utf-8&gmt_create=2026-11-23 16:00:00&gmt_refund=2026-11-23 16:40:00'],
        ['passback_params', 'x&refund_fee=88.80'],
      ],
    ],
    ['a seller', [['passback_params', `x&seller_id=${PAYEE.sellerId}`]]],
    ['a currency', [['subject', 'x&trans_currency=USD']]],
    ['an app', [['body', 'x&auth_app_id=2021000000000009']]],
    ['a platform message’s type', [['body', 'x&msg_method=a.b']]],
    ['another type', [['body', 'x&notify_type=a']]],
    ['another notification', [['body', 'x&notify_id=a']]],
  ])('%s in a text is held as ambiguous', (_, changes) => {
    expect(paid(...changes)).toEqual({
      kind: 'unsupported',
      orderNumber: 'A-1',
      says: expect.stringMatching(/^ambiguous: /),
    });
  });

  it('a refund behind passback_params counts when gmt_refund is where no text can put it', () => {
    const changes: Fields = [
      ['passback_params', 'a=1&vip=2'],
      ['body', 'x'],
    ];
    const { body } = signer.refund({ ...refund, paidAt: NOW, changes });
    expect(said(body).events).toMatchObject([
      { kind: 'order', facts: [{ kind: 'paid' }, { kind: 'refund_total', amount: 300n, at: NOW }] },
    ]);
  });

  it('an ambiguous notification is named by its digest, in every copy', () => {
    const first = signer.payment({ ...order, paidAt: NOW, changes: [['body', 'x&notify_id=a']] });
    const one = said(first.body);
    expect(one).toMatchObject({
      notificationId: expect.stringMatching(/^ambiguous-[0-9a-f]{64}$/),
    });
    expect(said(signer.resend(first).body)).toMatchObject({
      notificationId: 'notificationId' in one ? one.notificationId : '',
    });
  });

  it.each([
    ['closed with a payment time', 'gmt_payment'],
    ['closed with a refund time', 'gmt_refund'],
  ])('%s and no refund_fee: held, never reported as closed unpaid', (_, name) => {
    const changes: Fields = [[name, '2026-11-23 16:40:00']];
    const { body } = signer.closed({ ...order, closedAt: NOW, changes });
    expect(said(body).events).toEqual([
      { kind: 'unsupported', orderNumber: 'A-1', says: `TRADE_CLOSED: ${name} without refund_fee` },
    ]);
  });
});

describe('other messages that Alipay signs', () => {
  const RETURN: Fields = [
    ['app_id', PAYEE.appId],
    ['charset', 'utf-8'],
    ['method', 'alipay.trade.page.pay.return'],
    ['out_trade_no', 'A-1'],
    ['seller_id', PAYEE.sellerId],
    ['timestamp', '2026-11-23 16:32:00'],
    ['total_amount', '88.80'],
    ['trade_no', order.trade],
    ['version', '1.0'],
  ];

  it('a browser’s return is no notification, whatever one of its values contains and however it is cut', () => {
    const own = RETURN.map(([name]) => name).filter((name) => name !== 'method');
    const at = fc.constantFrom(...own, 'passback_params', 'subject', 'zz');
    fc.assert(
      fc.property(
        at,
        hostileText(NAMES, VALUES),
        fc.infiniteStream(fc.boolean()),
        (name, text, glue) => {
          const before = fieldValue(RETURN, name) ?? '';
          const fields = withFields(RETURN, [[name, `${before}${text}`]]);
          const cut = cutOf(signedText(fields), () => glue.next().value ?? false, true);
          const sign = fieldValue(
            signAlipayFields(fields, { privateKey: pair.privateKey }),
            'sign',
          );
          const latin1 = cut.map(([key, value]) => [key, Buffer.from(value, 'latin1').toString()]);
          const body = encodeForm([...latin1, ['sign', sign ?? '']] as unknown as Fields);
          expect(said(body)).toEqual({ rejected: 'not_a_notification', sentAt: null, events: [] });
        },
      ),
      { numRuns: 150 * MANY },
    );
  });

  it('an answer of the API is no notification, although a cut can hide its JSON in a name', () => {
    const notice = signedText(signer.payment({ ...order, paidAt: NOW }).content.fields);
    const text = `{"code":"10000","subject":"=x&${notice}"}`;
    const [name = '', value = ''] = [
      text.slice(0, text.indexOf('=')),
      text.slice(text.indexOf('=') + 1),
    ];
    const signed = signAlipayFields([[name, value]], { privateKey: pair.privateKey });
    expect(said(encodeForm(signed))).toEqual({
      rejected: 'not_a_notification',
      sentAt: null,
      events: [],
    });
  });
});
