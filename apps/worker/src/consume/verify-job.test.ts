import { type Channels, loadChannels } from '@payonce/core/config/channels';
import { jobIdFor, type NewJob, type NotificationJob } from '@payonce/core/queue/job';
import type { ContentRule } from '@payonce/providers/provider';
import { type PaymentProvider, verifiedRequest } from '@payonce/providers/provider';
import { createAlipaySigner } from '@payonce/testkit/signers/alipay';
import { bareBase64, generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import { describe, expect, test } from 'vitest';
import { verifyJob } from './verify-job.js';

const pair = generateRsaKeyPair();
const appId = '2021000000000001';
const sellerId = '2088000000000001';
const signer = createAlipaySigner({ privateKey: pair.privateKey, appId, sellerId });
const retiredAt = '2026-11-01T00:00:00Z';
const channels = loadChannels(
  `channels:
  shop: { provider: alipay, merchant: tea, appId: "${appId}", sellerIds: ["${sellerId}"], publicKeys: [{ env: KEY }] }
  old: { provider: alipay, appId: "${appId}", publicKeys: [{ env: KEY, retiredAt: "${retiredAt}" }] }`,
  { production: true, readSecret: () => bareBase64(pair.publicKey) },
);

const payment = { orderNumber: 'A1', trade: 'T1', amount: 8_888n, paidAt: new Date() };
const receivedAt = new Date();

function verifiedOf(body: Buffer, at: Date, rule: ContentRule = 'text') {
  const verified = channels
    .get('shop')
    ?.provider.verify({ body, headers: {}, receivedAt: at }, rule);
  if (!verified?.ok) throw new Error('the test signs what is refused');
  return verified;
}

/** The job that the gateway writes for these bytes. */
function jobFor(body: Buffer, channel = 'shop', at = receivedAt): NewJob {
  const verified = verifiedOf(body, at);
  const data: NotificationJob = {
    version: 3,
    provider: 'alipay',
    channel,
    notificationId: verified.notificationId,
    receivedAt: at.toISOString(),
    bodyBase64: body.toString('base64'),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  };
  return { id: jobIdFor(data, verified.digest), data };
}

const digestOf = (body: Buffer, rule: ContentRule = 'text') =>
  verifiedOf(body, receivedAt, rule).digest;

function faultOf(data: unknown, id: string, known: Channels = channels): unknown {
  const verdict = verifyJob(data, id, known);
  return verdict.ok ? null : verdict.failure;
}

describe('a job from the queue', () => {
  const { body } = signer.payment(payment);
  const { id, data: job } = jobFor(body);
  const { bodyBase64: _, ...bodiless } = job;

  test('genuine bytes become a notification of the channel’s merchant', () => {
    const verdict = verifyJob(JSON.parse(JSON.stringify(job)), id, channels);
    if (!verdict.ok) throw new Error(verdict.failure.reason);
    expect(verdict.notification).toMatchObject({
      provider: 'alipay',
      channel: 'shop',
      merchant: 'tea',
      notificationId: job.notificationId,
      digest: digestOf(body),
      authenticity: 'signed',
      receivedAt,
    });
    expect(verdict.notification.body.equals(body)).toBe(true);
    expect(verdict.notification.events).toMatchObject([
      { kind: 'order', orderNumber: 'A1', trade: 'T1', amount: 8_888n },
    ]);
  });

  test('bytes changed in the queue are refused', () => {
    const changed = Buffer.from(body.toString('latin1').replace('88.88', '88.89'), 'latin1');
    expect(changed.equals(body)).toBe(false);
    expect(faultOf({ ...job, bodyBase64: changed.toString('base64') }, id)).toEqual({
      reason: 'verification_failed',
      error: 'bad_signature',
    });
  });

  test('bytes signed with a key that is not the channel’s are refused', () => {
    const forged = signer.forge(signer.payment(payment), 'foreign_key');
    expect(faultOf({ ...job, bodyBase64: forged.body.toString('base64') }, id)).toEqual({
      reason: 'verification_failed',
      error: 'bad_signature',
    });
  });

  test('genuine bytes under another notification’s ID are refused, whichever of both IDs is right', () => {
    const another = { ...job, notificationId: 'another' };
    expect(faultOf(another, id)).toMatchObject({ reason: 'identity_mismatch' });
    expect(faultOf(another, jobIdFor(another, digestOf(body)))).toMatchObject({
      reason: 'identity_mismatch',
    });
    const { id: othersId } = jobFor(signer.payment({ ...payment, trade: 'T2' }).body);
    expect(faultOf(job, othersId)).toMatchObject({ reason: 'identity_mismatch' });
    expect(faultOf(job, '')).toMatchObject({ reason: 'identity_mismatch' });
  });

  test('genuine other content in place of a notification is refused: its digest is in the job’s ID', () => {
    const notificationId = job.notificationId;
    const other = jobFor(signer.payment({ ...payment, amount: 8_889n, notificationId }).body);
    expect(other.data.notificationId).toBe(notificationId);
    expect(faultOf(other.data, other.id)).toBeNull();
    expect(faultOf(other.data, id)).toMatchObject({ reason: 'identity_mismatch' });
  });

  test.each([
    ['a channel that is not configured', { channel: 'gone' }],
    ['another provider than the channel’s', { provider: 'wechatpay' }],
    ['a name that objects inherit', { channel: 'constructor' }],
  ])('%s is an unknown channel', (_, change) => {
    expect(faultOf({ ...job, ...change }, id)).toMatchObject({ reason: 'unknown_channel' });
  });

  test.each([
    ['no object', 'text'],
    ['null', null],
    ['another version', { ...job, version: 4 }],
    ['no version', { ...job, version: undefined }],
    ['a missing field', { ...job, notificationId: undefined }],
    ['a digest, which version 3 has not', { ...job, digest: digestOf(body) }],
    ['a further field', { ...job, merchant: 'thief' }],
    ['a body that is not base64', { ...job, bodyBase64: '%%%%' }],
    ['an empty body', { ...job, bodyBase64: '' }],
    ['an empty text', { ...bodiless, bodyText: '' }],
    ['no body', bodiless],
    ['two bodies', { ...job, bodyText: 'a=1' }],
    ['a huge body', { ...job, bodyBase64: 'A'.repeat(1_000_000) }],
    ['no time of receipt', { ...job, receivedAt: 'yesterday' }],
    ['headers that are no texts', { ...job, headers: { 'wechatpay-serial': 1 } }],
  ])('%s is a malformed job', (_, data) => {
    expect(faultOf(data, id)).toMatchObject({ reason: 'malformed_job' });
  });

  test('a key retired since then still verifies earlier requests, and no later ones', () => {
    const before = jobFor(body, 'old', new Date('2026-10-31T23:59:59Z'));
    const after = jobFor(body, 'old', new Date('2026-11-01T00:00:01Z'));
    expect(faultOf(before.data, before.id)).toBeNull();
    expect(faultOf(after.data, after.id)).toMatchObject({ reason: 'verification_failed' });
  });

  test('a decoder that throws, or returns nothing, condemns only its job', () => {
    const provider = channels.get('shop')?.provider;
    if (!provider) throw new Error('no channel');
    const identity = {
      notificationId: job.notificationId,
      shardKey: job.notificationId,
      digest: digestOf(body),
      authenticity: 'signed',
      sentAt: null,
    } as const;
    for (const decode of [
      () => [],
      () => {
        throw new RangeError('a defect');
      },
    ]) {
      const faulty = {
        ...provider,
        verify: () => ({ ok: true, request: verifiedRequest({}), ...identity }) as const,
        decode,
      };
      const known: Channels = new Map([
        ['shop', { key: 'shop', merchant: 'tea', simulated: false, provider: faulty }],
      ]);
      expect(faultOf(job, id, known)).toMatchObject({ reason: 'undecodable' });
    }
  });
});

describe('a job of a gateway from before version 2', () => {
  const { body } = signer.payment(payment);
  const { id, data } = jobFor(body);
  const job = { ...data, version: 1, digest: digestOf(body, 'former') };

  test('is applied as before, from a queue or as a dead letter, with the digest of its bytes', () => {
    for (const jobId of [id, 'an ID of its own']) {
      const verdict = verifyJob(JSON.parse(JSON.stringify(job)), jobId, channels);
      expect(verdict).toMatchObject({
        ok: true,
        notification: {
          ...{ notificationId: data.notificationId, digest: digestOf(body) },
          former: { notificationId: data.notificationId, digest: job.digest },
        },
      });
    }
  });

  test.each([
    ['ID', { notificationId: 'another' }],
    ['digest', { digest: 'a'.repeat(64) }],
    ['digest, with the same first digits', { digest: job.digest.slice(0, 8).padEnd(64, '0') }],
  ])('genuine bytes under another notification’s %s are refused', (_, change) => {
    expect(faultOf({ ...job, ...change }, id)).toMatchObject({ reason: 'identity_mismatch' });
  });

  test.each([
    ['no digest', { ...job, digest: undefined }],
    ['a digest in capitals', { ...job, digest: job.digest.toUpperCase() }],
  ])('%s is a malformed job', (_, changed) => {
    expect(faultOf(changed, id)).toMatchObject({ reason: 'malformed_job' });
  });
});

describe('where the two rules differ', () => {
  const { body } = signer.payment(payment);
  const { data: job } = jobFor(body);
  const text = { notificationId: job.notificationId, digest: 'a'.repeat(64) };
  const former = { notificationId: 'former', digest: 'b'.repeat(64) };

  /**
   * The shop's provider with different names by both rules; `refuses` makes the rule `text` refuse
   * it.
   */
  function naming(refuses = false): Channels {
    const channel = channels.get('shop');
    if (!channel) throw new Error('no channel');
    const provider: PaymentProvider = {
      ...channel.provider,
      verify(request, rule = 'text') {
        if (rule === 'text' && refuses) return { ok: false, reason: 'malformed' };
        const verification = channel.provider.verify(request, rule);
        return verification.ok
          ? { ...verification, ...(rule === 'text' ? text : former) }
          : verification;
      },
      formerIdentity: () => former,
    };
    return new Map([['shop', { ...channel, provider }]]);
  }
  const version2 = { ...job, version: 2 as const, notificationId: former.notificationId };
  const version1 = { ...version2, version: 1, digest: former.digest };

  test('a job of version 3 is checked by the rule `text`, and has the former name too', () => {
    const verdict = verifyJob(job, jobIdFor(job, text.digest), naming());
    expect(verdict).toMatchObject({ ok: true, notification: { ...text, former } });
    expect(faultOf(job, jobIdFor(job, former.digest), naming())).toMatchObject({
      reason: 'identity_mismatch',
    });
  });

  test('sixteen digits of the digest are in its ID, and each counts', () => {
    const id = jobIdFor(job, text.digest);
    expect(id.endsWith(`.${'a'.repeat(16)}`)).toBe(true);
    const eighth = jobIdFor(job, `${'a'.repeat(8)}${'c'.repeat(56)}`);
    expect(faultOf(job, eighth, naming())).toMatchObject({ reason: 'identity_mismatch' });
    expect(faultOf(job, id.slice(0, -8), naming())).toMatchObject({ reason: 'identity_mismatch' });
  });

  test('a job of version 2 or 1 is checked by the former rule, and becomes the same notification', () => {
    for (const [data, id] of [
      [version2, jobIdFor(version2, former.digest)],
      [version1, 'any'],
    ] as const) {
      expect(verifyJob(data, id, naming())).toMatchObject({
        ok: true,
        notification: { ...text, former },
      });
    }
    expect(jobIdFor(version2, former.digest).endsWith(`.${'b'.repeat(8)}`)).toBe(true);
  });

  test('a job of version 2 or 1 with the name of the rule `text` is refused', () => {
    const { notificationId } = text;
    const id = jobIdFor({ ...version2, notificationId }, text.digest);
    expect(faultOf({ ...version2, notificationId }, id, naming())).toMatchObject({
      reason: 'identity_mismatch',
    });
    expect(faultOf({ ...version1, digest: text.digest }, 'any', naming())).toMatchObject({
      reason: 'identity_mismatch',
    });
  });

  test('a notification that the previous release acknowledged is applied, even if the rule `text` refuses it', () => {
    const id = jobIdFor(version2, former.digest);
    expect(verifyJob(version2, id, naming(true))).toMatchObject({
      ok: true,
      notification: { ...former, former: null },
    });
    expect(faultOf(job, jobIdFor(job, text.digest), naming(true))).toMatchObject({
      reason: 'verification_failed',
    });
  });
});
