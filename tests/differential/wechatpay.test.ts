import { isUtf8 } from 'node:buffer';
import { createPrivateKey } from 'node:crypto';
import type { WechatpayMessage } from '@payonce/providers/wechatpay/verify';
import { generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import { createTally, forAllAsync } from './cases.js';
import { type Change, type Content, change, changed, content, writers } from './wechatpay-cases.js';
import {
  createSides,
  type KeyMode,
  NOW,
  NOW_SECONDS,
  type Request,
  type Resource,
  sealed,
} from './wechatpay-sides.js';

const tally = createTally('wechatpay-axios-plugin 0.9.6 and wechatpay-node-v3 2.2.1');
const sides = await createSides();
const foreignKey = createPrivateKey(generateRsaKeyPair().privatePem);

beforeAll(() => {
  // wechatpay-axios-plugin reads the clock itself.
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterAll(() => {
  vi.useRealTimers();
  tally.print();
});
// A few seconds when alone; the machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const notification = fc.record({
  content,
  write: fc.constantFrom(...Object.values(writers)),
  mode: fc.constantFrom<KeyMode>('certificate', 'public key'),
  skew: fc.oneof(fc.constantFrom(0, 299, 300, -299, -300), fc.integer({ min: -300, max: 300 })),
});

const resourceOf = ({ resource, nonce, associatedData }: Content): Resource =>
  sealed(JSON.stringify(resource), { key: sides.apiV3Key, nonce, associatedData });

function bodyOf({ id, eventType, summary }: Content, resource: Resource): object {
  return {
    id,
    create_time: '2026-11-23T16:32:00+08:00',
    event_type: eventType,
    resource_type: 'encrypt-resource',
    summary,
    resource,
  };
}

test('everything that the SDKs seal and sign we accept, with either kind of key, and open to the same content', async () => {
  await forAllAsync(notification, 500, async ({ content, write, mode, skew }) => {
    const resource = resourceOf(content);
    const request = sides.sign(write(bodyOf(content, resource)), mode, NOW_SECONDS + skew);
    expect(sides.axiosPlugin.verifies(request)).toBe(true);
    expect(JSON.parse(sides.axiosPlugin.opens(resource) ?? '')).toEqual(content.resource);
    if (mode === 'certificate') {
      expect(await sides.nodeV3.verifies(request)).toBe(true);
      expect(sides.nodeV3.opens(resource)).toEqual(content.resource);
    }
    const verification = sides.ours(request);
    expect(verification).toMatchObject({ ok: true, notificationId: content.id });
    const message = verification.ok && (verification.request.message as WechatpayMessage);
    expect(message).toEqual({ eventType: content.eventType, resource: content.resource });
    tally.add(`genuine, ${mode}`);
  });
});

test('a message that was changed on its way is accepted by all or refused by all', async () => {
  const other = sides.sign('another message');
  const cases = fc.record({
    notification,
    late: fc.constantFrom(0, 0, 0, 0, 0, 0, 301, -301, 86_400),
    changes: fc.array(change, { minLength: 4, maxLength: 4 }),
  });
  await forAllAsync(
    cases,
    500,
    async ({ notification: { content, write, mode, skew }, late, changes }) => {
      const body = write(bodyOf(content, resourceOf(content)));
      const genuine = sides.sign(body, mode, NOW_SECONDS + (late || skew));
      const forgery = {
        otherSerial: sides.serials[mode === 'certificate' ? 'public key' : 'certificate'],
        foreign: ({ headers }: Request) =>
          Rsa.sign(
            Formatter.response(
              headers['wechatpay-timestamp'] ?? '',
              headers['wechatpay-nonce'] ?? '',
              body,
            ),
            foreignKey,
          ),
        signatureOfAnother: other.headers['wechatpay-signature'] ?? '',
      };
      for (const one of changes) tally.add(await compare(changed(genuine, one, forgery), one));
    },
  );
  expect(tally.of('accepted')).toBeGreaterThan(80);
  expect(tally.of('refused')).toBeGreaterThan(800);
});

/** Throws where they disagree without a known reason. */
async function compare(request: Request, one: Change): Promise<string> {
  const alone = refusedByUsAlone(request);
  // A serial is hexadecimal; the SDKs compare it as text.
  const serial = request.headers['wechatpay-serial']?.toUpperCase();
  const named = serial === undefined ? request : withSerial(request, serial);
  const bySdk = sides.axiosPlugin.verifies(named);
  const ours = sides.ours(request).ok;
  expect({ ours, change: one }).toEqual({ ours: bySdk && alone === null, change: one });
  if (serial === sides.serials.certificate && isFresh(request)) {
    const byNodeV3 = await sides.nodeV3.verifies(named);
    expect({ byNodeV3, change: one }).toEqual({ byNodeV3: bySdk, change: one });
    tally.add(byNodeV3 ? 'node-v3: accepted' : 'node-v3: refused');
  }
  if (bySdk && alone !== null) return `refused by us alone: ${alone}`;
  return ours ? 'accepted' : 'refused';
}

/** Each has a separate test in `wechatpay-known.test.ts`. */
function refusedByUsAlone({ headers, body }: Request): string | null {
  if (!isUtf8(body)) return 'not UTF-8';
  const signature = headers['wechatpay-signature'] ?? '';
  if (Buffer.from(signature, 'base64').toString('base64') !== signature) return 'loose base64';
  return null;
}

/** wechatpay-node-v3 does not check the time (`wechatpay-known.test.ts`). */
function isFresh({ headers }: Request): boolean {
  return Math.abs(Number(headers['wechatpay-timestamp']) - NOW_SECONDS) <= 300;
}

function withSerial({ headers, body }: Request, serial: string): Request {
  return { body, headers: { ...headers, 'wechatpay-serial': serial } };
}

test('a genuinely signed but wrongly sealed message is opened by neither', async () => {
  const faults = fc.constantFrom<(resource: Resource, at: number) => Resource>(
    (resource) => ({ ...resource, nonce: `${resource.nonce.slice(1)}-` }),
    (resource) => ({ ...resource, associated_data: `${resource.associated_data ?? ''}x` }),
    (resource, at) => ({ ...resource, ciphertext: damaged(resource.ciphertext, at) }),
    (resource, at) => ({ ...resource, ciphertext: shortened(resource.ciphertext, at) }),
    (resource, at) => ({ ...resource, ciphertext: shortened(resource.ciphertext, -at) }),
  );
  const cases = fc.record({ content, fault: faults, at: fc.integer({ min: 1, max: 1000 }) });
  await forAllAsync(cases, 150, async ({ content, fault, at }) => {
    const resource = fault(resourceOf(content), at);
    expect(sides.axiosPlugin.opens(resource)).toBe(null);
    const verification = sides.ours(sides.sign(JSON.stringify(bodyOf(content, resource))));
    const signedDigest = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(verification).toEqual({ ok: false, reason: 'undecryptable', signedDigest });
    tally.add('wrongly sealed');
  });
});

function damaged(ciphertext: string, at: number): string {
  const bytes = Buffer.from(ciphertext, 'base64');
  bytes.writeUInt8(bytes.readUInt8(at % bytes.length) ^ 1, at % bytes.length);
  return bytes.toString('base64');
}

/** Without some bytes at its end, or (negative) at its beginning; at least a tag is left. */
function shortened(ciphertext: string, by: number): string {
  const bytes = Buffer.from(ciphertext, 'base64');
  const count = (Math.abs(by) % (bytes.length - 20)) + 1;
  return (by > 0 ? bytes.subarray(0, -count) : bytes.subarray(count)).toString('base64');
}
