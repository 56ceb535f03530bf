import { createCipheriv, createHash } from 'node:crypto';
import { type Fields, withFields, withoutFields } from '@payonce/testkit/signers/request';
import { sealReqInfo, wechatV2Xml } from '@payonce/testkit/signers/wechatpay-v2-wire';
import { describe, expect, test } from 'vitest';
import { rejection } from '../../test/rejections.js';
import { channel, KEY, PAYEE, payment, refund, signer, xml } from '../../test/wechatpay-v2.js';

const { decode, verify } = channel();

describe('a refund notice', () => {
  const envelope = (reqInfo: string): Fields => [
    ['return_code', 'SUCCESS'],
    ['appid', PAYEE.appId],
    ['mch_id', PAYEE.merchantId],
    ['nonce_str', 'x'],
    ['req_info', reqInfo],
  ];
  const inner: Fields = [
    ['out_trade_no', 'A-1'],
    ['transaction_id', payment.trade],
    ['refund_id', refund.refundId],
    ['refund_status', 'SUCCESS'],
  ];
  const sealed = (plaintext: string | Buffer) => xml(envelope(sealReqInfo(plaintext, KEY)));

  const sealedWith = (aesKey: string) => {
    const cipher = createCipheriv('aes-256-ecb', Buffer.from(aesKey), null);
    const text = wechatV2Xml(inner, 'root');
    const reqInfo = Buffer.concat([cipher.update(text), cipher.final()]).toString('base64');
    return xml(envelope(reqInfo));
  };

  test('that the key opens is accepted as encrypted, not as signed', () => {
    expect(verify(signer.refund(refund).body)).toMatchObject({
      ok: true,
      authenticity: 'encrypted',
      notificationId: `refund-${refund.refundId}-SUCCESS`,
      request: { message: { kind: 'refund' } },
    });
  });

  test('has one ID for each status, and keeps ID and digest when it is sent again', () => {
    const seen = (body: Buffer) => {
      const result = verify(body);
      return result.ok ? [result.notificationId, result.digest] : expect.fail(result.reason);
    };
    const change = signer.refund({ ...refund, status: 'CHANGE' });
    expect(seen(change.body)[0]).toBe(`refund-${refund.refundId}-CHANGE`);
    expect(seen(signer.resend(change).body)).toEqual(seen(change.body));
    expect(
      seen(signer.refund({ ...refund, status: 'CHANGE', refundAmount: 101n }).body)[1],
    ).not.toBe(seen(change.body)[1]);
  });

  test('without a status is known by its digest', () => {
    const result = verify(sealed(wechatV2Xml(withoutFields(inner, 'refund_status'), 'root')));
    expect(result.ok && result.notificationId).toBe(result.ok && `refund-${result.digest}`);
    expect(result.ok).toBe(true);
  });

  test.each<[string, () => Buffer]>([
    ['sealed with a foreign key', () => signer.forge(signer.refund(refund)).body],
    [
      'damaged in its last block',
      () => signer.forge(signer.refund(refund), 'changed_content').body,
    ],
    ['that is no base64', () => xml(envelope('%%%%'))],
    ['of a cut block', () => xml(envelope('AAAAAAAA'))],
    ['that opens to no XML', () => sealed('hello')],
    ['that opens to nothing', () => sealed('')],
    ['that opens to broken encoding', () => sealed(Buffer.from([0xff, 0xfe]))],
    ['that opens to another root', () => sealed(wechatV2Xml(inner, 'xml'))],
    ['that opens to a DOCTYPE', () => sealed(`<!DOCTYPE root>${wechatV2Xml(inner, 'root')}`)],
    ['that opens to a doubled field', () => sealed(wechatV2Xml([...inner, ...inner], 'root'))],
    ['without refund_id', () => sealed(wechatV2Xml(withoutFields(inner, 'refund_id'), 'root'))],
    [
      'without transaction_id',
      () => sealed(wechatV2Xml(withoutFields(inner, 'transaction_id'), 'root')),
    ],
    [
      'without out_trade_no',
      () => sealed(wechatV2Xml(withoutFields(inner, 'out_trade_no'), 'root')),
    ],
    ['sealed with the API key itself', () => sealedWith(KEY)],
    [
      'sealed with the upper-case hex of the key’s MD5',
      () => sealedWith(createHash('md5').update(KEY).digest('hex').toUpperCase()),
    ],
  ])('%s is rejected, always for the same reason', (_, body) => {
    expect(verify(body())).toEqual(rejection('undecryptable'));
  });

  test('is one message in every allowed envelope of its channel', () => {
    const reqInfo = sealReqInfo(wechatV2Xml(inner, 'root'), KEY);
    const genuine = envelope(reqInfo);
    const wrapped: Fields[] = [
      withFields(genuine, [['nonce_str', 'y']]),
      [...genuine, ['note', 'x1'], ['out_trade_no', 'B-2'], ['sub_mch_id', '']],
      withoutFields(genuine, 'appid', 'nonce_str'),
      genuine.toReversed(),
    ];
    const seen = (fields: Fields) => {
      const result = verify(xml(fields));
      if (!result.ok) return expect.fail(result.reason);
      const { request, ...rest } = result;
      return { ...rest, events: decode(request) };
    };
    expect(seen(genuine)).toMatchObject({ shardKey: 'A-1' });
    for (const fields of wrapped) expect(seen(fields)).toEqual(seen(genuine));
    const count = process.env.PAYONCE_TEST_FULL === '1' ? 10_000 : 300;
    const first = seen(genuine);
    for (let note = 0; note < count; note += 1) {
      expect(seen([...genuine, ['note', `x${note}`]])).toEqual(first);
    }
  });

  test.each<Fields[number]>([
    ['mch_id', '1900000009'],
    ['appid', 'wx9'],
    ['sub_mch_id', '1900000101'],
    ['sub_appid', 'wx9'],
  ])('in an envelope that names another %s is rejected', (name, value) => {
    const genuine = envelope(sealReqInfo(wechatV2Xml(inner, 'root'), KEY));
    expect(verify(xml(withFields(genuine, [[name, value]])))).toEqual(
      rejection('foreign_envelope'),
    );
  });

  test('whose envelope is not one of a notification is rejected', () => {
    const good = envelope(sealReqInfo(wechatV2Xml(inner, 'root'), KEY));
    expect(verify(xml(good)).ok).toBe(true);
    expect(verify(xml(withoutFields(good, 'mch_id')))).toEqual(rejection('malformed'));
    expect(verify(xml(withoutFields(good, 'return_code')))).toEqual(rejection('malformed'));
    expect(verify(xml(withFields(good, [['return_code', 'FAIL']])))).toEqual(
      rejection('not_a_notification'),
    );
    expect(verify(xml([...good, ['sign', 'x']]))).toEqual(rejection('bad_signature'));
  });
});
