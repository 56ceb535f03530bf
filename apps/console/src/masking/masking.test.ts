import { describe, expect, it } from 'vitest';
import { maskBoardResponse } from './board.js';
import { maskBody } from './body.js';
import { HIDDEN, maskHeaders } from './fields.js';
import { maskJobData, maskReturnValue } from './job.js';
import { maskText } from './text.js';

const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
const BUYER = '2088101106499364';
const SIGNATURE = Buffer.from(
  'a signature that stands for two hundred and fifty-six bytes',
).toString('base64');

const alipayBody = new URLSearchParams({
  notify_id: 'ac05099524730693a8b330c5ecf72da9786',
  out_trade_no: 'A-1001',
  trade_no: '2026112322001499361000001',
  trade_status: 'TRADE_SUCCESS',
  total_amount: '88.80',
  buyer_id: BUYER,
  buyer_logon_id: '159****5620',
  buyer_open_id: OPENID,
  subject: '李雷的订单',
  passback_params: 'phone%3D13800138000',
  fund_bill_list: '[{"amount":"88.80"}]',
  field_of_next_year: BUYER,
  sign_type: 'RSA2',
  sign: SIGNATURE,
}).toString();

const wechatV2Body = `<xml><appid><![CDATA[wx0000000000000000]]></appid>
<openid><![CDATA[${OPENID}]]></openid><sub_openid>${OPENID}</sub_openid>
<out_trade_no><![CDATA[B-1001]]></out_trade_no><total_fee>8880</total_fee>
<attach><![CDATA[tel 13800138000]]></attach><req_info><![CDATA[${SIGNATURE}]]></req_info>
<nonce_str>5d2b6c2a8db53831f7eda20af46e531c</nonce_str><sign>9A0A8659F005D6984697E2CA0A9CF3B7</sign></xml>`;

const wechatV3Body = JSON.stringify({
  id: 'EV-2018022511223320873',
  create_time: '2026-11-23T10:34:56+08:00',
  event_type: 'TRANSACTION.SUCCESS',
  payer: { openid: OPENID },
  resource: {
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: SIGNATURE,
    nonce: 'fdasflkja484',
    associated_data: 'transaction',
  },
});

const SECRETS = [OPENID, BUYER, SIGNATURE, '159****5620', '13800138000', '李雷', '9A0A8659F005'];

function expectNoSecret(shown: unknown): void {
  const text = JSON.stringify(shown);
  for (const secret of SECRETS) expect(text).not.toContain(secret);
}

describe('the masked body', () => {
  it('shows IDs, amounts and status of an Alipay message and hides every other value', () => {
    const shown = maskBody('alipay', Buffer.from(alipayBody));
    expect(shown.fields).toMatchObject({
      out_trade_no: 'A-1001',
      trade_no: '2026112322001499361000001',
      trade_status: 'TRADE_SUCCESS',
      total_amount: '88.80',
      buyer_id: HIDDEN,
      buyer_logon_id: HIDDEN,
      sign: HIDDEN,
      subject: HIDDEN,
    });
    expectNoSecret(shown);
  });

  it('hides the value of a field that nobody has reviewed yet', () => {
    const shown = maskBody('alipay', Buffer.from(alipayBody));
    expect(shown.fields.field_of_next_year).toBe(HIDDEN);
  });

  it('shows IDs and amounts of a WeChat Pay v2 message, with and without CDATA', () => {
    const shown = maskBody('wechatpay-v2', Buffer.from(wechatV2Body));
    expect(shown.fields).toMatchObject({
      out_trade_no: 'B-1001',
      total_fee: '8880',
      openid: HIDDEN,
      sub_openid: HIDDEN,
      req_info: HIDDEN,
      nonce_str: HIDDEN,
      sign: HIDDEN,
    });
    expectNoSecret(shown);
  });

  it('shows the kind of a WeChat Pay v3 envelope, and nothing of its sealed content', () => {
    const shown = maskBody('wechatpay', Buffer.from(wechatV3Body));
    expect(shown.fields).toMatchObject({
      id: 'EV-2018022511223320873',
      event_type: 'TRANSACTION.SUCCESS',
      'resource.algorithm': 'AEAD_AES_256_GCM',
      'resource.ciphertext': HIDDEN,
      'resource.nonce': HIDDEN,
      'payer.openid': HIDDEN,
    });
    expectNoSecret(shown);
  });

  it('hides an allowed field whose value is no ID, amount, status or time', () => {
    const body = new URLSearchParams({ out_trade_no: '李雷', trade_no: 'x'.repeat(129) });
    const shown = maskBody('alipay', Buffer.from(body.toString()));
    expect(shown.fields).toEqual({ out_trade_no: HIDDEN, trade_no: HIDDEN });
  });

  it.each(['alipay', 'wechatpay', 'wechatpay-v2', 'tomorrowpay'])(
    'never throws on bytes that %s would not send',
    (provider) => {
      for (const body of ['', '{', 'null', '[1]', '<xml><a', '%zz=%', '\u0000\uffff']) {
        expect(maskBody(provider, Buffer.from(body)).bytes).toBe(Buffer.byteLength(body));
      }
    },
  );

  it('stays small and quick for a body of the largest size', () => {
    const body = Buffer.from('<a>'.repeat(87_381));
    const startedAt = performance.now();
    const shown = maskBody('wechatpay-v2', body);
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(JSON.stringify(shown).length).toBeLessThan(10_000);
  });
});

describe('masked headers', () => {
  it('show which key signed and when, and hide the signature', () => {
    const shown = maskHeaders({
      'wechatpay-serial': 'PUB_KEY_ID_1',
      'wechatpay-timestamp': '1795436096',
      'wechatpay-nonce': 'EcGkSFNgjFVwCYVpuLpZmmWAL3MNJ6aZ',
      'wechatpay-signature': SIGNATURE,
    });
    expect(shown).toEqual({
      'wechatpay-serial': 'PUB_KEY_ID_1',
      'wechatpay-timestamp': '1795436096',
      'wechatpay-nonce': HIDDEN,
      'wechatpay-signature': HIDDEN,
    });
  });
});

describe('a masked job', () => {
  const job = {
    version: 3,
    provider: 'alipay',
    channel: 'shop',
    notificationId: 'n1',
    receivedAt: '2026-11-23T02:34:56.789Z',
    bodyBase64: Buffer.from(alipayBody).toString('base64'),
    headers: { 'wechatpay-signature': SIGNATURE },
  };

  it('shows its identity, without the bytes it carries', () => {
    const shown = maskJobData(job);
    expect(shown).toMatchObject({
      channel: 'shop',
      notificationId: 'n1',
      body: { fields: { out_trade_no: 'A-1001' } },
    });
    expect(JSON.stringify(shown)).not.toContain(job.bodyBase64.slice(0, 40));
    expectNoSecret(shown);
  });

  it('shows the same for a body that is queued as text, and none of its bytes', () => {
    const { bodyBase64, ...others } = job;
    const shown = maskJobData({ ...others, bodyText: alipayBody });
    expect(shown).toEqual(maskJobData(job));
    expectNoSecret(shown);
  });

  it('hides any other data in the queue, and unknown members', () => {
    expect(maskJobData({ openid: OPENID })).toBe(HIDDEN);
    expect(maskJobData(OPENID)).toBe(HIDDEN);
    expectNoSecret(maskJobData({ ...job, payer: OPENID }));
  });

  it("shows the outcomes in a worker's result, and no other member", () => {
    const returned = {
      copy: false,
      events: [{ outcome: 'held', reason: 'unknown_order' }],
      payer: 1,
    };
    expect(maskReturnValue(returned)).toEqual({
      copy: false,
      events: [{ outcome: 'held', reason: 'unknown_order' }],
    });
  });
});

describe('masked text', () => {
  it.each([
    `openid=${OPENID}&x=1`,
    `{"buyer_id":"${BUYER}"}`,
    `payer ${OPENID} paid`,
    `seller or buyer ${BUYER}`,
    `signature ${SIGNATURE} is wrong`,
    '<sign><![CDATA[9A0A8659F005D6984697E2CA0A9CF3B7]]></sign>',
    'buyer_logon_id: 159****5620',
    'call 13800138000',
  ])('cuts the secret out of %j', (text) => expectNoSecret(maskText(text)));

  it('leaves what a person needs to find the fault', () => {
    const text =
      'Error: order A-1001 of trade 2026112322001499361000001: deadlock detected\n' +
      '    at applyBatch (/srv/payonce/packages/orders/dist/notifications/apply/apply.js:88:11)';
    expect(maskText(text)).toBe(text);
  });

  it('masks reasons, stack traces and logs wherever Bull Board puts them', () => {
    const answer = {
      queues: [{ jobs: [{ id: 'a', failedReason: `x ${OPENID}`, stacktrace: [`y ${OPENID}`] }] }],
    };
    const shown = maskBoardResponse(answer);
    expect(shown).toMatchObject({ queues: [{ jobs: [{ id: 'a' }] }] });
    expectNoSecret(shown);
    expectNoSecret(maskBoardResponse([`line one ${OPENID}`, 'line two']));
  });
});
