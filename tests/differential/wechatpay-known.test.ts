import { randomSerial } from '@payonce/testkit/signers/keys';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { forAllAsync, value } from './cases.js';
import {
  createSides,
  envelope,
  NOW,
  NOW_SECONDS,
  PAYMENT_TEXT,
  type Request,
  sealed,
} from './wechatpay-sides.js';

/**
 * The intended differences between wechatpay-axios-plugin 0.9.6 or wechatpay-node-v3 2.2.1 and our
 * adapter. Each test pins all answers, so that a change of any is noticed. `wechatpay.test.ts` has
 * no other exceptions.
 */

const sides = await createSides();

// wechatpay-axios-plugin reads the clock itself.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
afterAll(() => void vi.useRealTimers());

const RESOURCE = sealed(PAYMENT_TEXT, {
  key: sides.apiV3Key,
  nonce: 'nonce-of-12-',
  associatedData: 'transaction',
});

async function answers(request: Request, receivedAt = NOW) {
  const verification = sides.ours(request, receivedAt);
  return {
    axiosPlugin: sides.axiosPlugin.verifies(request),
    nodeV3: await sides.nodeV3.verifies(request),
    ours: verification.ok ? 'accepted' : verification.reason,
  };
}

function withHeader({ headers, body }: Request, name: string, text: string): Request {
  return { body, headers: { ...headers, [name]: text } };
}

describe('the time', () => {
  test('is not checked by wechatpay-node-v3; the others refuse more than 300 s of age or lead', async () => {
    const far = fc.integer({ min: 301, max: 10 ** 8 });
    const skews = fc.tuple(far, fc.constantFrom(1, -1)).map(([by, sign]) => by * sign);
    await forAllAsync(skews, 40, async (skew) => {
      const request = sides.sign(envelope(RESOURCE), 'certificate', NOW_SECONDS + skew);
      expect(await answers(request)).toEqual({ axiosPlugin: false, nodeV3: true, ours: 'stale' });
    });
  });

  test('may differ by exactly 300 s, as in the PHP SDK (the Go SDK refuses that one second)', async () => {
    for (const [skew, fresh] of [
      [300, true],
      [-300, true],
      [301, false],
      [-301, false],
    ] as const) {
      const request = sides.sign(envelope(RESOURCE), 'certificate', NOW_SECONDS + skew);
      expect((await answers(request)).axiosPlugin).toBe(fresh);
      expect((await answers(request)).ours).toBe(fresh ? 'accepted' : 'stale');
    }
  });

  test('is cut to whole seconds by wechatpay-axios-plugin; we count the milliseconds', async () => {
    const late = new Date(NOW.getTime() + 999);
    vi.setSystemTime(late);
    const request = sides.sign(envelope(RESOURCE), 'certificate', NOW_SECONDS - 300);
    expect(await answers(request, late)).toMatchObject({ axiosPlugin: true, ours: 'stale' });
    vi.setSystemTime(NOW);
  });

  test('that is no number is accepted by both SDKs; we refuse it', async () => {
    await forAllAsync(fc.stringMatching(/^[a-z]{1,12}$/), 20, async (time) => {
      const request = sides.sign(envelope(RESOURCE), 'certificate', time);
      expect(await answers(request)).toEqual({
        axiosPlugin: true,
        nodeV3: true,
        ours: 'malformed',
      });
    });
  });
});

describe('the key', () => {
  test('of an unknown serial is downloaded by wechatpay-node-v3 for each forged request; we only refuse', async () => {
    const before = sides.nodeV3.downloads();
    for (let forged = 1; forged <= 5; forged++) {
      const request = withHeader(
        sides.sign(envelope(RESOURCE)),
        'wechatpay-serial',
        randomSerial(),
      );
      expect(await answers(request)).toEqual({
        axiosPlugin: false,
        nodeV3: false,
        ours: 'unknown_key',
      });
      expect(sides.nodeV3.downloads()).toBe(before + forged);
    }
  });

  test('is named in hexadecimal: lower-case digits are the same serial to us, another one to the SDKs', async () => {
    const request = sides.sign(envelope(RESOURCE));
    const lower = withHeader(request, 'wechatpay-serial', sides.serials.certificate.toLowerCase());
    expect(await answers(lower)).toEqual({ axiosPlugin: false, nodeV3: false, ours: 'accepted' });
  });

  test('may be a public key, which wechatpay-node-v3 does not know yet', async () => {
    const request = sides.sign(envelope(RESOURCE), 'public key');
    expect(await answers(request)).toEqual({ axiosPlugin: true, nodeV3: false, ours: 'accepted' });
  });
});

describe('the headers', () => {
  test.each([
    ['two nonces in one', 'nonce', 'one, two'],
    ['a nonce with a blank', 'nonce', 'one two'],
    ['a time with a fraction', 'timestamp', `${NOW_SECONDS}.0`],
    ['a time with a sign', 'timestamp', `+${NOW_SECONDS}`],
  ])('%s: signed, it is accepted by both SDKs and not by us', async (_, name, text) => {
    const [timestamp, nonce] = name === 'nonce' ? [NOW_SECONDS, text] : [text, undefined];
    const request = sides.sign(envelope(RESOURCE), 'certificate', timestamp, nonce);
    expect(await answers(request)).toEqual({ axiosPlugin: true, nodeV3: true, ours: 'malformed' });
  });

  test('cannot take over the first line of the body: wechatpay-node-v3 does not see that boundary', async () => {
    const { headers } = sides.sign(`first line\n${envelope(RESOURCE)}`);
    const nonce = `${headers['wechatpay-nonce']}\nfirst line`;
    const request = {
      headers: { ...headers, 'wechatpay-nonce': nonce },
      body: Buffer.from(envelope(RESOURCE)),
    };
    expect(await answers(request)).toEqual({ axiosPlugin: false, nodeV3: true, ours: 'malformed' });
  });

  test('may name another algorithm, which neither SDK checks; we refuse it', async () => {
    const request = withHeader(
      sides.sign(envelope(RESOURCE)),
      'wechatpay-signature-type',
      'WECHATPAY2-SM2-WITH-SM3',
    );
    expect(await answers(request)).toEqual({ axiosPlugin: true, nodeV3: true, ours: 'malformed' });
  });

  test.each<[string, (signature: string) => string]>([
    ['without padding', (text) => text.replace(/=+$/, '')],
    ['with text behind the padding', (text) => `${text}=junk`],
    ['with a blank', (text) => `${text.slice(0, 64)} ${text.slice(64)}`],
  ])('carry base64; %s both SDKs accept it, and we do not', async (_, rewrite) => {
    const request = sides.sign(envelope(RESOURCE));
    const signature = rewrite(request.headers['wechatpay-signature'] ?? '');
    const loose = withHeader(request, 'wechatpay-signature', signature);
    expect(await answers(loose)).toEqual({
      axiosPlugin: true,
      nodeV3: true,
      ours: 'bad_signature',
    });
  });
});

describe('the body', () => {
  test('is refused by wechatpay-node-v3 when parsed before, as in its examples; we verify the bytes', async () => {
    const links = value.map((text) => `https://example.com/${text}`);
    await forAllAsync(links, 40, async (summary) => {
      const text = envelope(RESOURCE, { summary }).replaceAll('/', '\\/');
      const request = sides.sign(text);
      expect(await sides.nodeV3.verifies(request, JSON.parse(text))).toBe(false);
      expect(await answers(request)).toEqual({ axiosPlugin: true, nodeV3: true, ours: 'accepted' });
    });
  });

  test('in bytes that are no UTF-8 looks to the SDKs like the signed one; we refuse it', async () => {
    const { headers, body } = sides.sign(envelope(RESOURCE, { summary: '\ufffd' }));
    const broken = Buffer.from(body.toString('latin1').replace('\xef\xbf\xbd', '\xff'), 'latin1');
    const request = { headers, body: broken };
    expect(await answers(request)).toEqual({
      axiosPlugin: true,
      nodeV3: true,
      ours: 'bad_signature',
    });
  });

  test('may be signed and no notification, or repeat a key: accepted by the SDKs, refused by us', async () => {
    const answer = PAYMENT_TEXT;
    const doubled = envelope(RESOURCE).replace('{', '{"id":"n-0",');
    for (const [body, ours] of [
      [answer, 'not_a_notification'],
      [doubled, 'malformed'],
    ] as const) {
      expect(await answers(sides.sign(body))).toEqual({ axiosPlugin: true, nodeV3: true, ours });
    }
  });
});
