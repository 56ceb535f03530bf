import { randomBytes } from 'node:crypto';
import { createEndpoint, rotateSecret, updateEndpoint } from '@payonce/orders/endpoints/commands';
import type { EncryptionKeys } from '@payonce/orders/endpoints/encryption-keys';
import { makeSecret, openSecret, parseSecret } from '@payonce/orders/endpoints/secret';
import { deleteEndpoint, disableEndpoint, enableEndpoint } from '@payonce/orders/endpoints/switch';
import { describe, expect, test } from 'vitest';
import { type DeliveryDatabase, deliveryDatabase, lin, makeEndpoint, pass } from './deliveries.js';
import { auditRows } from './held.js';

const wanted = {
  ...lin,
  merchant: 'default',
  name: 'erp',
  url: 'https://shop.example/hooks?token=hush',
  eventTypes: ['order.paid'],
} as const;
const owner = { merchant: 'default', name: 'erp' };

describe('an endpoint', () => {
  test('is created with a secret that is shown once and stored sealed', async () => {
    const deps = await deliveryDatabase();
    const made = await createEndpoint(deps, wanted);
    if (made.result !== 'done' || made.secret === null) throw new Error(made.result);
    const row = await deps.prisma.webhookEndpoint.findUniqueOrThrow({
      where: { id: made.endpoint.id },
    });
    const secret = parseSecret(made.secret);
    expect(Buffer.from(row.secret ?? []).includes(secret ?? '-')).toBe(false);
    expect(openSecret(keysOf(deps), owner, row.secret ?? Buffer.alloc(0))).toEqual(secret);
    expect(Object.keys(made.endpoint)).not.toContain('secret');
    const [audit] = await auditRows(deps);
    expect(audit).toMatchObject({ action: 'endpoint.create', actor: 'lin', endpointId: row.id });
    expect(JSON.stringify(audit?.detail)).not.toMatch(/whsec_|hush/);
  });

  test('accepts a secret that the merchant already has', async () => {
    const deps = await deliveryDatabase();
    const secret = `whsec_${randomBytes(24).toString('base64')}`;
    expect(await createEndpoint(deps, { ...wanted, secret })).toMatchObject({ secret });
    const short = await createEndpoint(deps, { ...wanted, name: 'b', secret: 'whsec_MfKQ' });
    expect(short).toEqual({ result: 'invalid_secret' });
  });

  test('is not created without a key to seal its secret; a handler needs none', async () => {
    const deps = { ...(await deliveryDatabase()), encryptionKeys: null };
    expect(await createEndpoint(deps, wanted)).toEqual({ result: 'no_encryption_key' });
    const handler = await createEndpoint(deps, { ...wanted, url: 'handler:orders' });
    expect(handler).toMatchObject({ result: 'done', secret: null });
  });

  test('is not created for a forbidden address', async () => {
    const deps = await deliveryDatabase();
    expect(await createEndpoint(deps, { ...wanted, url: 'https://169.254.169.254/' })).toEqual({
      result: 'invalid_url',
      why: 'address_refused',
    });
    expect(await deps.prisma.webhookEndpoint.count()).toBe(0);
  });

  test('is changed, and the audit row has both states', async () => {
    const deps = await deliveryDatabase();
    const { id } = await makeEndpoint(deps);
    const url = 'https://shop.example/new';
    expect(await updateEndpoint(deps, { ...lin, endpoint: id, url })).toMatchObject({
      result: 'done',
      endpoint: { url, eventTypes: [] },
      again: false,
    });
    expect(await updateEndpoint(deps, { ...lin, endpoint: id, url })).toMatchObject({
      again: true,
    });
    expect(await updateEndpoint(deps, { ...lin, endpoint: id, url: 'handler:x' })).toEqual({
      result: 'invalid_url',
      why: 'other_kind',
    });
    const audit = await auditRows(deps);
    expect(audit.map((row) => row.action)).toEqual(['endpoint.create', 'endpoint.update']);
    expect(audit[1]?.detail).toMatchObject({ after: { url } });
  });

  test('is deleted without a trace of its secrets, and its name is free again', async () => {
    const deps = await deliveryDatabase();
    const { id } = await makeEndpoint(deps);
    await rotateSecret(deps, { ...lin, endpoint: id });
    expect(await createEndpoint(deps, wanted)).toEqual({ result: 'name_taken' });
    await deleteEndpoint(deps, { ...lin, endpoint: id });
    expect(await deps.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })).toMatchObject({
      secret: new Uint8Array(0),
      previousSecret: null,
    });
    expect(await updateEndpoint(deps, { ...lin, endpoint: id })).toEqual({
      result: 'unknown_endpoint',
    });
    expect(await createEndpoint(deps, wanted)).toMatchObject({
      result: 'done',
      endpoint: { url: wanted.url, eventTypes: ['order.paid'] },
    });
  });
});

function keysOf({ encryptionKeys }: DeliveryDatabase): EncryptionKeys {
  if (encryptionKeys === null) throw new Error('a database without keys');
  return encryptionKeys;
}

/** The present one and the previous one. */
async function secretsOf(deps: DeliveryDatabase, id: bigint): Promise<(Buffer | null)[]> {
  const row = await deps.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } });
  const keys = keysOf(deps);
  return [row.secret, row.previousSecret].map(
    (sealed) => sealed && openSecret(keys, owner, sealed),
  );
}

describe('rotating a secret', () => {
  test('keeps the previous one for the grace period, and no older one', async () => {
    const deps = await deliveryDatabase();
    const { id, secret: first } = await makeEndpoint(deps);
    const rotated = await rotateSecret(deps, { ...lin, endpoint: id, graceMs: 60_000 });
    const again = await rotateSecret(deps, { ...lin, endpoint: id, graceMs: 60_000 });
    if (rotated.result !== 'done' || again.result !== 'done') throw new Error('not rotated');
    const opened = await secretsOf(deps, id);
    expect(opened).toEqual([parseSecret(again.secret ?? ''), parseSecret(rotated.secret ?? '')]);
    expect(opened).not.toContainEqual(parseSecret(first));
    const row = await deps.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } });
    expect(row.previousSecretExpiresAt).toEqual(new Date(deps.now.getTime() + 60_000));
  });

  test('to the present one, as in a repeated request, leaves the previous one unchanged', async () => {
    const deps = await deliveryDatabase();
    const { id, secret: first } = await makeEndpoint(deps);
    const given = { ...lin, endpoint: id, secret: makeSecret() };
    await rotateSecret(deps, { ...given, graceMs: 60_000 });
    pass(deps, 1_000);
    await rotateSecret(deps, { ...given, graceMs: 60_000 });
    expect(await secretsOf(deps, id)).toEqual([given.secret, first].map(parseSecret));
    await rotateSecret(deps, { ...given, graceMs: 0 });
    expect(await secretsOf(deps, id)).toEqual([parseSecret(given.secret), null]);
    expect(await rotateSecret(deps, { ...given, graceMs: 60_000 })).toMatchObject({
      result: 'done',
      secret: given.secret,
      endpoint: { previousSecretExpiresAt: null },
    });
  });

  test('without a grace period the previous one is gone at once', async () => {
    const deps = await deliveryDatabase();
    const { id } = await makeEndpoint(deps);
    await rotateSecret(deps, { ...lin, endpoint: id, graceMs: 0 });
    expect(await deps.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })).toMatchObject({
      previousSecret: null,
      previousSecretExpiresAt: null,
    });
  });
});

describe('switching an endpoint', () => {
  test('off and on again: earlier failures no longer count, and each is recorded once', async () => {
    const deps = await deliveryDatabase();
    const { id } = await makeEndpoint(deps);
    await deps.prisma.webhookEndpoint.update({
      where: { id },
      data: { failures: 9, failingSince: deps.now, openUntil: deps.now },
    });
    for (const again of [false, true]) {
      expect(await disableEndpoint(deps, { ...lin, endpoint: id })).toMatchObject({
        endpoint: { disabledReason: 'operator' },
        again,
      });
    }
    for (const again of [false, true]) {
      expect(await enableEndpoint(deps, { ...lin, endpoint: id })).toMatchObject({
        endpoint: { disabledAt: null, failures: 0, failingSince: null, openUntil: null },
        again,
      });
    }
    const actions = (await auditRows(deps)).map((row) => row.action);
    expect(actions).toEqual(['endpoint.create', 'endpoint.disable', 'endpoint.enable']);
  });

  test('one of the channel file is changed there; it can be disabled and enabled here', async () => {
    const deps = await deliveryDatabase();
    const { id } = await makeEndpoint(deps);
    await deps.prisma.webhookEndpoint.update({ where: { id }, data: { source: 'file' } });
    const one = { ...lin, endpoint: id };
    const refused = { result: 'managed_by_file' };
    expect(await updateEndpoint(deps, { ...one, eventTypes: [] })).toEqual(refused);
    expect(await rotateSecret(deps, one)).toEqual(refused);
    expect(await deleteEndpoint(deps, one)).toEqual(refused);
    expect(await disableEndpoint(deps, one)).toMatchObject({ result: 'done' });
    expect(await enableEndpoint(deps, one)).toMatchObject({ result: 'done' });
    await deps.prisma.webhookEndpoint.update({
      where: { id },
      data: { disabledAt: deps.now, disabledReason: 'not_in_file' },
    });
    expect(await enableEndpoint(deps, one)).toEqual(refused);
  });
});
