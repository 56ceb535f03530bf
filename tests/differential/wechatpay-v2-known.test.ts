import { randomApiKey } from '@payonce/testkit/signers/keys';
import type { Fields } from '@payonce/testkit/signers/request';
import { sealReqInfo, wechatV2Xml } from '@payonce/testkit/signers/wechatpay-v2-wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forAll } from './cases.js';
import { createSides, PAYEE, readBy, sdkXml } from './wechatpay-v2-sides.js';

/**
 * The intended differences between wechatpay-axios-plugin 0.9.6 and our adapter in API v2. Each
 * test pins both answers, so that a change of either is noticed. `wechatpay-v2.test.ts` has no
 * other exceptions.
 */

const sides = createSides('HMAC-SHA256');

const HEAD: Fields = [
  ['return_code', 'SUCCESS'],
  ['result_code', 'SUCCESS'],
  ['appid', PAYEE.appId],
  ['mch_id', PAYEE.merchantId],
  ['nonce_str', '5K8264ILTKCH16CQ2502SI8ZNMTM67VS'],
  ['out_trade_no', 'order-1'],
  ['transaction_id', '4200000000202611230000000001'],
  ['total_fee', '8888'],
];
const signedWith = (...more: Fields): Fields => sides.sign([...HEAD, ...more]);
const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);

function answers(xml: string) {
  const verification = sides.ours(xml);
  return {
    sdk: sides.sdkAccepts(xml),
    ours: verification.ok ? 'accepted' : verification.reason,
  };
}

describe('blanks and line ends', () => {
  test('around a value are written by the SDK and cut by its reader; we read the signed value', () => {
    forAll(fc.tuple(word, fc.constantFrom(' ', '  ', '\t', '\n')), 40, ([text, blank]) => {
      for (const attach of [`${blank}${text}`, `${text}${blank}`, blank]) {
        const xml = sdkXml(signedWith(['attach', attach]));
        expect(answers(xml)).toEqual({ sdk: false, ours: 'accepted' });
        expect(readBy(sides.ours(xml))).toMatchObject({ attach });
      }
    });
  });

  test('added around a signed value are ignored by the SDK; we refuse them', () => {
    forAll(word, 40, (text) => {
      const xml = sdkXml(signedWith(['attach', text]));
      const changed = xml.replace(`<attach>${text}<`, `<attach> ${text}\n<`);
      expect(answers(xml)).toEqual({ sdk: true, ours: 'accepted' });
      expect(answers(changed)).toEqual({ sdk: true, ours: 'bad_signature' });
    });
  });

  test('of Windows are signed by the SDK and not read back; we read the signed value', () => {
    forAll(fc.tuple(word, word, fc.constantFrom('\r\n', '\r')), 40, ([a, b, end]) => {
      const xml = wechatV2Xml(signedWith(['attach', `${a}${end}${b}`]));
      expect(answers(xml)).toEqual({ sdk: false, ours: 'accepted' });
      const other = wechatV2Xml(signedWith(['attach', `${a}\n${b}`])).replace(
        `${a}\n`,
        `${a}${end}`,
      );
      expect(answers(other)).toEqual({ sdk: true, ours: 'bad_signature' });
    });
  });
});

describe('XML that WeChat never writes', () => {
  test('a value with “]]>” comes broken from the SDK’s writer, and neither reads it', () => {
    const xml = sdkXml(signedWith(['attach', 'a]]>b']));
    expect(answers(xml)).toEqual({ sdk: false, ours: 'malformed' });
  });

  test('control characters, which XML has no place for, are written and read by the SDK; we refuse them', () => {
    const controls = fc.integer({ min: 0, max: 31 }).filter((code) => ![9, 10, 13].includes(code));
    forAll(
      controls.map((code) => `a${String.fromCharCode(code)}b`),
      40,
      (attach) => {
        const xml = sdkXml(signedWith(['attach', attach]));
        expect(answers(xml)).toEqual({ sdk: true, ours: 'malformed' });
      },
    );
  });

  test('a reference by number is one character to us, as in XML; the SDK takes it for six', () => {
    const genuine = sdkXml(signedWith(['attach', 'ABC']));
    const xml = genuine.replace('ABC', '&#65;BC');
    expect(answers(xml)).toEqual({ sdk: false, ours: 'accepted' });
  });

  const plain = sdkXml(signedWith(['attach', 'list,of,words'], ['detail', '[object Object]']));
  test.each([
    ['elements that come twice', 'list,of,words', 'list</attach><attach>of,words'],
    ['an element within a value', '[object Object]', '<b>anything</b>'],
    ['an attribute', '<attach>', '<attach a="b">'],
    ['a comment', '<attach>', '<!-- anything --><attach>'],
    ['an instruction', '<attach>', '<?anything?><attach>'],
    ['another root', /(<\/?)xml>/g, '$1html>'],
    ['text behind the root', /$/, 'anything'],
    ['an end that is missing', '</xml>', ''],
    ['an end of another name', '</attach>', '</anything>'],
  ])('%s: accepted by the SDK and not by us', (_, from, to) => {
    expect(answers(plain)).toEqual({ sdk: true, ours: 'accepted' });
    const xml = plain.replace(from, to);
    expect(xml).not.toBe(plain);
    expect(answers(xml)).toEqual({ sdk: true, ours: 'malformed' });
  });

  test('a document type, whose entities the SDK expands, is refused by us', () => {
    const type = '<!DOCTYPE xml [<!ENTITY words "list,of,words">]>';
    const xml = `${type}${plain.replace('list,of,words', '&words;')}`;
    expect(answers(xml)).toEqual({ sdk: true, ours: 'malformed' });
  });
});

describe('the algorithm', () => {
  test('is chosen by the length of the signature at the SDK; ours is the channel’s', () => {
    const md5 = createSides('MD5', sides.apiKey);
    forAll(word, 40, (text) => {
      const byMd5 = sdkXml(sides.sign([...HEAD, ['attach', text]], 'MD5'));
      const byHmac = sdkXml(sides.sign([...HEAD, ['attach', text]], 'HMAC-SHA256'));
      expect(answers(byMd5)).toEqual({ sdk: true, ours: 'bad_signature' });
      expect(answers(byHmac)).toEqual({ sdk: true, ours: 'accepted' });
      expect(md5.sdkAccepts(byHmac)).toBe(true);
      expect(md5.ours(byHmac)).toEqual({ ok: false, reason: 'bad_signature' });
    });
  });

  test('that sign_type states may contradict the signature at the SDK; we refuse it', () => {
    const xml = sdkXml(signedWith(['sign_type', 'MD5']));
    expect(answers(xml)).toEqual({ sdk: true, ours: 'bad_signature' });
  });
});

describe('a signed message', () => {
  test('about a failure is an error to the SDK, signed or not; we distinguish them', () => {
    const failed: Fields = HEAD.map(([name, text]) => [
      name,
      name === 'result_code' ? 'FAIL' : text,
    ]);
    expect(answers(sdkXml(sides.sign(failed)))).toEqual({ sdk: false, ours: 'accepted' });
    const forged = sides.sign(failed, 'HMAC-SHA256', randomApiKey());
    expect(answers(sdkXml(forged))).toEqual({ sdk: false, ours: 'bad_signature' });
  });

  test('that is no notification is verified by the SDK; we refuse it', () => {
    const answer = HEAD.filter(([name]) => name !== 'transaction_id');
    const xml = sdkXml(sides.sign([...answer, ['prepay_id', 'wx2016']]));
    expect(answers(xml)).toEqual({ sdk: true, ours: 'not_a_notification' });
  });

  test('cut differently between its fields makes a payment of a buyer’s words at the SDK; we refuse it', () => {
    // Sorted like the fields of a payment: the signature is over the sorted text.
    const words = `out_trade_no=order-1&result_code=SUCCESS&return_code=SUCCESS&total_fee=1&transaction_id=T`;
    const name = `x&mch_id=${PAYEE.merchantId}&${words}&z=`;
    const behind: Fields = [
      ['mch_id', PAYEE.merchantId],
      ['notify_url', 'https://example.com/notify'],
    ];
    const genuine = sides.sign([['contract_display_account', name], ...behind]);
    const cut: Fields = [
      ['contract_display_account', 'x'],
      ['mch_id', PAYEE.merchantId],
      ...new URLSearchParams(words),
      ['z', `&${behind.map((field) => field.join('=')).join('&')}`],
      ['sign', genuine.at(-1)?.[1] ?? ''],
    ];
    expect(answers(sdkXml(cut))).toEqual({ sdk: true, ours: 'not_a_notification' });
  });
});

describe('a refund notice', () => {
  const refund = (text: string) =>
    `<root><out_trade_no>order-1</out_trade_no><transaction_id>T</transaction_id><refund_id>R</refund_id><refund_status>SUCCESS</refund_status><a>${text}</a></root>`;
  const judge = (reqInfo: string) => ({
    sdk: sides.sdkOpens(reqInfo),
    ours: sides.ours(
      wechatV2Xml([
        ['return_code', 'SUCCESS'],
        ['mch_id', PAYEE.merchantId],
        ['req_info', reqInfo],
      ]),
    ),
  });
  const opened = { refund_id: 'R', refund_status: 'SUCCESS' };
  const undecryptable = { ok: false, reason: 'undecryptable' };

  test('of whole blocks has no padding from the SDK; we require it, like PKCS#7 and WeChat', () => {
    forAll(fc.integer({ min: 0, max: 64 }), 65, (length) => {
      const plain = refund('x'.repeat(length));
      const bySdk = judge(sides.seal(plain));
      expect(bySdk.sdk).toMatchObject(opened);
      expect(bySdk.ours).toMatchObject(plain.length % 16 === 0 ? undecryptable : { ok: true });
      expect(judge(sealReqInfo(plain, sides.apiKey))).toMatchObject({
        sdk: opened,
        ours: { ok: true },
      });
    });
  });

  test('that lost its last blocks is opened by the SDK as far as possible; we refuse it', () => {
    const sealed = Buffer.from(sealReqInfo(refund('x'.repeat(64)), sides.apiKey), 'base64');
    for (const lost of [32, 48]) {
      const cut = judge(sealed.subarray(0, -lost).toString('base64'));
      expect(cut.sdk).toMatchObject(opened);
      expect(cut.ours).toEqual(undecryptable);
    }
  });

  test('with a damaged block is opened by the SDK with the damaged text; we refuse it', () => {
    const sealed = Buffer.from(sealReqInfo(refund('x'.repeat(320)), sides.apiKey), 'base64');
    // The damaged part is 16 random bytes: in one of 16 a “<” stops the SDK, in one of a million
    // they are text.
    const damaged = Array.from({ length: 16 }, (_, block) => {
      const bytes = Buffer.from(sealed);
      const at = sealed.length - 48 - 16 * block;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      return judge(bytes.toString('base64'));
    });
    expect(damaged.map(({ sdk }) => sdk)).toContainEqual(expect.objectContaining(opened));
    for (const { ours } of damaged) expect(ours).toEqual(undecryptable);
  });
});
