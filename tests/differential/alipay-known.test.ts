import { encodeForm, signAlipayFields } from '@payonce/testkit/signers/alipay-wire';
import type { Fields } from '@payonce/testkit/signers/request';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  APP_ID,
  asFrameworksParse,
  createSides,
  percentDecoded,
  sdkVerdict,
} from './alipay-sides.js';
import { forAll, value } from './cases.js';

/**
 * The intended differences between alipay-sdk 4.14 and our adapter. Each test pins both answers, so
 * that a change of either is noticed. `alipay.test.ts` has no other exceptions.
 */

const sides = createSides();

const HEAD: Fields = [
  ['notify_id', '2026112300222163206088880500000001'],
  ['notify_type', 'trade_status_sync'],
  ['app_id', APP_ID],
  ['out_trade_no', 'order-1'],
  ['trade_no', '2026112322001400000000000001'],
  ['trade_status', 'TRADE_SUCCESS'],
  ['total_amount', '88.80'],
];
const noticeWith = (...more: Fields): Fields => sides.sign([...HEAD, ...more]);
const withValue = (fields: Fields, name: string, text: string): Fields =>
  fields.map(([key, old]) => [key, key === name ? text : old]);

/** The three verdicts on one body. */
function answers(body: Buffer) {
  const parsed = asFrameworksParse(body);
  const verification = sides.ours(body);
  return {
    sdkV1: sdkVerdict(sides.sdk, parsed, 'checkNotifySign'),
    sdk: sdkVerdict(sides.sdk, parsed),
    ours: verification.ok ? 'accepted' : verification.reason,
  };
}

describe('checkNotifySign (without V2) decodes values a second time', () => {
  const escapable = value.filter((text) => encodeURIComponent(text) !== text);

  test('it throws on a genuine notice with a bare percent sign; we accept it', () => {
    const bare = fc.tuple(value, value).map(([a, b]) => `${a}%${b}`);
    forAll(bare.filter(isNotEscaped), 60, (text) => {
      const body = encodeForm(noticeWith(['subject', text]));
      expect(answers(body)).toEqual({ sdkV1: 'threw', sdk: 'accepted', ours: 'accepted' });
    });
  });

  test('it refuses genuine passback_params, which come back still encoded; we accept them', () => {
    forAll(escapable, 60, (text) => {
      const body = encodeForm(noticeWith(['passback_params', encodeURIComponent(text)]));
      expect(answers(body)).toEqual({ sdkV1: 'refused', sdk: 'accepted', ours: 'accepted' });
    });
  });

  test('it accepts a value that was encoded once more on the way; we refuse it', () => {
    forAll(escapable, 60, (text) => {
      const genuine = noticeWith(['subject', text]);
      const body = encodeForm(withValue(genuine, 'subject', encodeURIComponent(text)));
      expect(answers(body)).toEqual({ sdkV1: 'accepted', sdk: 'refused', ours: 'bad_signature' });
    });
  });
});

describe('sign_type', () => {
  test('lets a message choose SHA-1 at the SDK; our RSA2 channel refuses it', () => {
    const signing = { privateKey: sides.pair.privateKey, signType: 'RSA' } as const;
    forAll(value, 40, (text) => {
      const body = encodeForm(signAlipayFields([...HEAD, ['subject', text]], signing));
      expect(answers(body)).toMatchObject({ sdk: 'accepted', ours: 'bad_signature' });
    });
  });

  test('of an unknown name makes the SDK throw; we refuse it', () => {
    forAll(
      value.filter((name) => !['', 'RSA', 'RSA2'].includes(name)),
      40,
      (name) => {
        const body = encodeForm(withValue(noticeWith(), 'sign_type', name));
        expect(answers(body)).toMatchObject({ sdk: 'threw', ours: 'bad_signature' });
      },
    );
  });

  test('is restored by both where it was signed and cut out or emptied', () => {
    const service = sides.sign(HEAD, true);
    const cut = encodeForm(service.filter(([name]) => name !== 'sign_type'));
    expect(answers(encodeForm(service))).toMatchObject({ sdk: 'accepted', ours: 'accepted' });
    const emptied = encodeForm(withValue(service, 'sign_type', ''));
    for (const body of [cut, emptied]) {
      expect(answers(body)).toMatchObject({ sdk: 'accepted', ours: 'accepted' });
    }
  });
});

describe('empty values', () => {
  test('left out of a signature (as other SDKs do) are refused by this one; we accept either way', () => {
    forAll(value, 40, (text) => {
      fc.pre(text !== '');
      const genuine = noticeWith(['subject', text]);
      const body = encodeForm([...genuine, ['body', '']]);
      expect(answers(body)).toMatchObject({ sdk: 'refused', ours: 'accepted' });
      // …because they state nothing: the content that we read is the same.
      const alone = sides.ours(encodeForm(genuine));
      expect(sides.ours(body)).toMatchObject({ digest: alone.ok && alone.digest });
    });
  });
});

describe('an unsigned field without a value', () => {
  test.each(['added', 'sign_type\xbdRSA2'])('(%s) is ignored by us', (name) => {
    const body = Buffer.from(`${encodeForm(noticeWith())}&${name}`, 'latin1');
    expect(answers(body)).toMatchObject({ sdk: 'refused', ours: 'accepted' });
  });
});

describe('GBK', () => {
  const letters = fc.constantFrom(
    '订',
    '单',
    '测',
    '试',
    '、',
    '￥',
    '+',
    '%',
    '&',
    '=',
    ' ',
    'a',
    '0',
  );
  const chinese = fc.string({ unit: letters, minLength: 1, maxLength: 40 });
  const inGbk = (text: string) => {
    const fields = sides.sign([...HEAD, ['charset', 'GBK'], ['subject', text]], false, 'GBK');
    return { fields, body: encodeForm(fields, 'GBK') };
  };

  test('notices are beyond the SDK, which hashes UTF-8, however they are decoded; we accept them', () => {
    forAll(
      chinese.filter((text) => /[^ -~]/.test(text)),
      60,
      (text) => {
        const { fields, body } = inGbk(text);
        expect(answers(body)).toMatchObject({ sdk: 'refused', ours: 'accepted' });
        const bytes = percentDecoded(/subject=([^&]*)/.exec(body.toString())?.[1] ?? '');
        for (const decoded of [text, bytes]) {
          const handed = Object.fromEntries(withValue(fields, 'subject', decoded));
          expect(sdkVerdict(sides.sdk, handed)).toBe('refused');
        }
      },
    );
  });

  test('notices in ASCII are accepted by both', () => {
    forAll(
      chinese.map((text) => text.replace(/[^ -~]/g, '')),
      40,
      (text) => {
        expect(answers(inGbk(text).body)).toMatchObject({ sdk: 'accepted', ours: 'accepted' });
      },
    );
  });
});

describe('one signed text, written in several ways, is one message for us', () => {
  test.each<[string, (sign: string) => string]>([
    ['a line break', (sign) => `${sign.slice(0, 64)}\n${sign.slice(64)}`],
    ['the alphabet for URLs', (sign) => sign.replaceAll('+', '-').replaceAll('/', '_')],
    ['no padding', (sign) => sign.replace(/=+$/, '')],
    ['text behind the padding', (sign) => `${sign}=junk`],
    ['bits beyond the last byte', (sign) => sign.replace(/.(?===$)/, nextLetter)],
  ])('base64 with %s is accepted by the SDK and not by us', (_, rewrite) => {
    forAll(value, 10, (text) => {
      const genuine = noticeWith(['subject', text]);
      const sign = genuine.at(-1)?.[1] ?? '';
      // One in 50,000 signatures has neither of the two letters that URLs write differently.
      fc.pre(rewrite(sign) !== sign);
      const body = encodeForm(withValue(genuine, 'sign', rewrite(sign)));
      expect(answers(body)).toMatchObject({ sdk: 'accepted', ours: 'bad_signature' });
    });
  });

  test.each([
    ['bytes that are no UTF-8', 'subject=%EF%BF%BD', 'subject=%FF', 'bad_signature'],
    ['an escape that is none', 'subject=100%25', 'subject=100%', 'malformed'],
    ['a list for its JSON', 'subject=%5B%22a%22%2C%22b%22%5D', 'subject=a&subject=b', 'malformed'],
    ['a name that swallows its value', 'subject=a%3Db', 'subject%3Da=b', 'malformed'],
    ['an unsigned value without a name', 'subject=a', 'subject=a&=b', 'malformed'],
  ])('%s: accepted by the SDK and not by us', (_, genuine, rewritten, ours) => {
    const subject = [...new URLSearchParams(genuine)];
    const text = encodeForm(noticeWith(...subject)).toString();
    expect(answers(Buffer.from(text))).toMatchObject({ sdk: 'accepted', ours: 'accepted' });
    const body = Buffer.from(text.replace(genuine, rewritten));
    expect(body.toString()).not.toBe(text);
    expect(answers(body)).toMatchObject({ sdk: 'accepted', ours });
  });

  test("in a doubled field the SDK sees the parser's choice; we refuse it", () => {
    const genuine = encodeForm(noticeWith()).toString();
    const forged = `total_amount=0.01&${genuine}`;
    const lastWins = Object.fromEntries(new URLSearchParams(forged));
    expect(sdkVerdict(sides.sdk, lastWins)).toBe('accepted');
    expect(answers(Buffer.from(forged)).ours).toBe('malformed');
  });

  test('a signed text cut differently between its fields is genuine to both; we hand it to a person', () => {
    const genuine = noticeWith(['subject', 'x&total_amount=0.01']);
    const cut = withValue(genuine, 'subject', 'x');
    const body = encodeForm(withValue(cut, 'total_amount', '0.01&total_amount=88.80'));
    expect(answers(body)).toMatchObject({ sdk: 'accepted', ours: 'accepted' });
    for (const bytes of [body, encodeForm(genuine)]) {
      expect(sides.decoded(bytes)).toMatchObject([
        { kind: 'unsupported', says: expect.stringContaining('ambiguous') },
      ]);
    }
  });
});

test('a signed message that is no notification is verified by the SDK; we refuse it', () => {
  // The parameters of return_url, which pass through the buyer's browser.
  const browserReturn = ['method', 'alipay.trade.page.pay.return'] as const;
  forAll(value, 40, (text) => {
    const body = encodeForm(sides.sign([browserReturn, ['passback_params', text]]));
    expect(answers(body)).toMatchObject({ sdk: 'accepted', ours: 'not_a_notification' });
  });
});

function isNotEscaped(text: string): boolean {
  try {
    decodeURIComponent(text);
    return false;
  } catch {
    return true;
  }
}

/** `A`, `Q`, `g` and `w` carry four zero bits beyond the last byte. */
function nextLetter(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 1);
}
