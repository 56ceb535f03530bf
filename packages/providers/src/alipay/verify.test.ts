import { createAlipaySigner } from '@payonce/testkit/signers/alipay';
import { alipayRequest, encodeForm, signAlipayFields } from '@payonce/testkit/signers/alipay-wire';
import { generateRsaKeyPair, type RsaKeyPair } from '@payonce/testkit/signers/keys';
import type { Fields } from '@payonce/testkit/signers/request';
import { describe, expect, it } from 'vitest';
import { alipay } from './alipay.js';
import { alipaySettings } from './settings.js';

const pair = generateRsaKeyPair();
const next = generateRsaKeyPair();
const NOW = new Date('2026-11-23T08:32:00Z');
const payee = { appId: '2021000000000001', sellerId: '2088000000000001' };
const signer = createAlipaySigner({ ...payee, privateKey: pair.privateKey, clock: () => NOW });

function channel(
  block: Record<string, unknown> = {},
  keys: Record<string, RsaKeyPair> = { A: pair },
) {
  const settings = alipaySettings.parse({
    appId: payee.appId,
    sellerIds: [payee.sellerId],
    publicKeys: Object.keys(keys).map((env) => ({ env })),
    ...block,
  });
  return alipay.create(
    settings,
    (source) => keys['env' in source ? source.env : '']?.publicPem ?? '',
  );
}

const TRADE: Fields = [
  ['notify_id', 'n-1'],
  ['notify_type', 'trade_status_sync'],
  ['notify_time', '2026-11-23 16:32:00'],
  ['out_trade_no', 'order-1'],
  ['subject', '中文 a+b 100% &amp; "quoted" '],
  ['passback_params', '%7B%22a%22%3A1%7D'],
  ['body', ''],
];

const verify = (body: Buffer, provider = channel(), receivedAt = NOW) =>
  provider.verify({ body, headers: {}, receivedAt });
const reasonOf = (verification: ReturnType<typeof verify>) =>
  verification.ok ? 'accepted' : verification.reason;

describe('a signature', () => {
  it('covers empty values, blanks at the end, plus, percent and Chinese', () => {
    expect(verify(signer.fields(TRADE).body)).toMatchObject({
      ok: true,
      notificationId: 'n-1',
      sentAt: new Date('2026-11-23T16:32:00+08:00'),
    });
  });

  it('may cover sign_type (service notices) or leave it out (trade notices)', () => {
    const both = [true, false].map((signTypeIsSigned) =>
      signer.fields(TRADE, { signTypeIsSigned }),
    );
    expect(both.map(({ body }) => reasonOf(verify(body)))).toEqual(['accepted', 'accepted']);
  });

  it('may cover a sign_type that was not sent: then it is the channel’s', () => {
    for (const fields of [TRADE, TRADE.slice(0, 2), [...TRADE, ['version', '1.0']] as Fields]) {
      const service = signer.fields(fields, { signTypeIsSigned: true }).body.toString();
      const silent = Buffer.from(service.replace('&sign_type=RSA2&', '&'));
      expect(verify(silent)).toMatchObject({ ok: true, notificationId: 'n-1' });
      const former = channel().verify({ body: silent, headers: {}, receivedAt: NOW }, 'former');
      expect(reasonOf(former)).toBe('bad_signature');
    }
  });

  it('may leave out empty values', () => {
    const filled = TRADE.filter(([, value]) => value !== '');
    const signed = signAlipayFields(filled, { privateKey: pair.privateKey });
    expect(reasonOf(verify(encodeForm([...signed, ['body', '']])))).toBe('accepted');
  });

  it.each(['GBK', 'gbk', 'GB2312', 'GB18030', 'UTF-8'] as const)(
    'is over the bytes as written in %s',
    (charset) => {
      const gbk = createAlipaySigner({ ...payee, privateKey: pair.privateKey, charset });
      expect(reasonOf(verify(gbk.fields([...TRADE, ['charset', charset]]).body))).toBe('accepted');
    },
  );

  it('is tried with every live key, so a rotation needs no fixed moment', () => {
    const provider = channel({}, { A: pair, B: next });
    for (const { privateKey } of [pair, next]) {
      const { body } = createAlipaySigner({ ...payee, privateKey }).fields(TRADE);
      expect(reasonOf(verify(body, provider))).toBe('accepted');
    }
  });

  it('of a retired key counts for requests received before', () => {
    const retiredAt = NOW.toISOString();
    const provider = channel(
      { publicKeys: [{ env: 'A', retiredAt }, { env: 'B' }] },
      { A: pair, B: next },
    );
    const { body } = signer.fields(TRADE);
    expect(reasonOf(verify(body, provider, new Date(NOW.getTime() - 1)))).toBe('accepted');
    expect(reasonOf(verify(body, provider, NOW))).toBe('unknown_key');
  });

  it('counts when its key is listed twice, retired and live', () => {
    const retiredAt = '2020-01-01T00:00:00Z';
    const provider = channel({
      publicKeys: [{ env: 'A', retiredAt }],
      certificates: [{ env: 'A' }],
    });
    expect(reasonOf(verify(signer.fields(TRADE).body, provider))).toBe('accepted');
  });

  it('whose plus signs were not escaped is rejected, and throws nothing', () => {
    const plussed = Array.from({ length: 50 }, (_, i) =>
      signer.fields([...TRADE, ['n', `${i}`]]).body.toString(),
    );
    const raw = plussed
      .filter((text) => text.includes('%2B', text.indexOf('sign=')))
      .map((text) => {
        const at = text.indexOf('&sign=');
        return text.slice(0, at) + text.slice(at).replaceAll('%2B', '+');
      });
    expect(raw.length).toBeGreaterThan(0);
    for (const text of raw) expect(reasonOf(verify(Buffer.from(text)))).toBe('bad_signature');
  });
});

describe('sign_type', () => {
  const sha1 = createAlipaySigner({ ...payee, privateKey: pair.privateKey, signType: 'RSA' });

  it('RSA is rejected by an RSA2 channel, although the signature is genuine', () => {
    expect(reasonOf(verify(sha1.fields(TRADE).body))).toBe('bad_signature');
  });

  it('cannot be taken away to make SHA-1 count', () => {
    const unstated = sha1.fields(TRADE).body.toString().replace('&sign_type=RSA&', '&');
    expect(unstated).not.toContain('sign_type');
    expect(reasonOf(verify(Buffer.from(unstated)))).toBe('bad_signature');
  });

  it('RSA and RSA2 count at an RSA channel: it may be moving to the stronger one', () => {
    const provider = channel({ signType: 'RSA' });
    expect(reasonOf(verify(sha1.fields(TRADE).body, provider))).toBe('accepted');
    expect(reasonOf(verify(signer.fields(TRADE).body, provider))).toBe('accepted');
  });

  it('if omitted is the channel’s', () => {
    const unstated = signer.fields(TRADE).body.toString().replace('&sign_type=RSA2&', '&');
    expect(reasonOf(verify(Buffer.from(unstated)))).toBe('accepted');
  });

  it.each(['MD5', 'rsa2', 'RSA2 ', 'DSA'])('%s is rejected', (signType) => {
    const body = signer.fields([...TRADE, ['sign_type', signType]]).body;
    expect(reasonOf(verify(body))).toBe('bad_signature');
  });
});

describe('only a notification is accepted', () => {
  const RETURN: Fields = [
    ['method', 'alipay.trade.page.pay.return'],
    ['out_trade_no', 'order-1'],
    ['total_amount', '88.80'],
    ['trade_no', '2026112322001400000000000001'],
  ];

  it.each<[string, Fields]>([
    ['the signed parameters of a browser return', RETURN],
    ['a browser return with the fields of a notice', [...TRADE, ...RETURN.slice(0, 1)]],
    ['no notify_id', TRADE.filter(([name]) => name !== 'notify_id')],
    ['an empty notify_id', TRADE.map(([name, value]) => [name, name === 'notify_id' ? '' : value])],
    ['neither notify_type nor msg_method', TRADE.filter(([name]) => name !== 'notify_type')],
  ])('not %s, although genuinely signed', (_, fields) => {
    expect(reasonOf(verify(signer.fields(fields).body))).toBe('not_a_notification');
  });

  it('service notices have a separate method, and are', () => {
    const fields: Fields = [...TRADE, ['method', 'alipay.open.servicemarket.order.notify']];
    expect(reasonOf(verify(signer.fields(fields).body))).toBe('accepted');
  });

  it('platform messages are', () => {
    const message = signer.platformMessage({
      method: 'alipay.fund.trans.order.changed',
      content: {},
    });
    expect(reasonOf(verify(message.body))).toBe('accepted');
  });

  it.each([
    ['longer than 128 characters', '9'.repeat(129)],
    ['with a line break', 'a\nb'],
    ['that is not ASCII', '编号'],
  ])('not a notify_id %s', (_, id) => {
    const fields: Fields = TRADE.map(([name, value]) => [name, name === 'notify_id' ? id : value]);
    expect(reasonOf(verify(signer.fields(fields).body))).toBe('malformed');
  });
});

describe('the digest', () => {
  const digest = (fields: Fields) => {
    const verification = verify(signer.fields(fields).body);
    return verification.ok ? verification.digest : verification.reason;
  };
  const changed = (name: string, value: string): Fields => [
    ...TRADE.filter(([other]) => other !== name),
    [name, value],
  ];

  it('is 64 hex digits and does not depend on order, time of sending, sign_type or empty fields', () => {
    expect(digest(TRADE)).toMatch(/^[0-9a-f]{64}$/);
    const same = [
      TRADE.toReversed(),
      changed('notify_time', '2026-11-24 16:32:00'),
      TRADE.filter(([name]) => name !== 'body'),
      [...TRADE, ['sign_type', 'RSA2']] as Fields,
    ];
    expect(new Set([TRADE, ...same].map(digest)).size).toBe(1);
  });

  it('is one for all cuts of one signed text, and another for another text', () => {
    const cuts: Fields[] = [
      [['x', '1&y=2']],
      [
        ['x', '1'],
        ['y', '2'],
      ],
    ];
    expect(new Set(cuts.map((fields) => digest([...TRADE, ...fields]))).size).toBe(1);
    const others = [TRADE, [...TRADE, ['x', '1y2']] as Fields, changed('out_trade_no', 'order-2')];
    const different = [...others, [...TRADE, ...(cuts[0] ?? [])]].map(digest);
    expect(new Set(different).size).toBe(4);
  });

  it('of a platform message does not depend on its time of sending', () => {
    const message = (at: string): Fields => [
      ['notify_id', 'm'],
      ['msg_method', 'a.b'],
      ['utc_timestamp', at],
    ];
    expect(digest(message('1'))).toBe(digest(message('2')));
  });
});

it('the content type has no influence', () => {
  const { body } = alipayRequest(signAlipayFields(TRADE, { privateKey: pair.privateKey }));
  const provider = channel();
  for (const type of ['text/html', 'application/x-www-form-urlencoded; charset=GBK', undefined]) {
    const request = { body, headers: { 'content-type': type }, receivedAt: NOW };
    expect(provider.verify(request).ok).toBe(true);
  }
});
