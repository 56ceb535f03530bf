import { randomBytes } from 'node:crypto';
import { applyDeclaredEndpoints } from '@payonce/orders/endpoints/apply-declared';
import type { DeclaredEndpoint } from '@payonce/orders/endpoints/declared';
import { deleteEndpoint, disableEndpoint } from '@payonce/orders/endpoints/switch';
import { eventually } from '@payonce/testkit/machine/poll';
import { expect, test } from 'vitest';
import {
  closedOrder,
  deliver,
  deliveryDatabase,
  lin,
  MINUTE,
  makeEndpoint,
  pass,
} from './deliveries.js';
import { hookServer, verify } from './hooks.js';

const secret = randomBytes(32);
const former = randomBytes(32);
const text = (bytes: Buffer) => `whsec_${bytes.toString('base64')}`;
const erp: DeclaredEndpoint = {
  merchant: 'default',
  name: 'erp',
  url: 'https://shop.example/hooks',
  eventTypes: [],
  secret,
  previous: null,
};

test('endpoints of the file receive events, signed with both secrets while the file lists both', async () => {
  const deps = await deliveryDatabase();
  const shop = await hookServer();
  const both = { ...erp, url: shop.url, previous: { secret: former, expiresAt: null } };
  await applyDeclaredEndpoints(deps, [both]);
  deliver(deps);
  await closedOrder(deps, 'A1');
  await eventually(() => expect(shop.heard).toHaveLength(1));
  await applyDeclaredEndpoints(deps, [{ ...both, previous: null }]);
  await closedOrder(deps, 'A2');
  await eventually(() => expect(shop.heard).toHaveLength(2));
  const [first, second] = shop.heard;
  if (!first || !second) throw new Error('nothing was heard');
  verify(text(secret), first);
  verify(text(former), first);
  verify(text(secret), second);
  expect(() => verify(text(former), second)).toThrow();
});

test('a previous secret with a time signs until then', async () => {
  const deps = await deliveryDatabase();
  const shop = await hookServer();
  const expiresAt = new Date(deps.now.getTime() + MINUTE);
  const both = { ...erp, url: shop.url, previous: { secret: former, expiresAt } };
  await applyDeclaredEndpoints(deps, [both]);
  pass(deps, MINUTE);
  deliver(deps);
  await closedOrder(deps);
  await eventually(() => expect(shop.heard).toHaveLength(1));
  const [heard] = shop.heard;
  expect(() => heard && verify(text(former), heard)).toThrow();
});

test("an endpoint missing from the file is disabled, one that returns is enabled, and an operator's action stays", async () => {
  const deps = await deliveryDatabase();
  const two = [erp, { ...erp, name: 'crm' }];
  expect(await applyDeclaredEndpoints(deps, two)).toEqual({ applied: 2, disabled: 0, refused: 0 });
  const states = async () =>
    (await deps.prisma.webhookEndpoint.findMany({ orderBy: { id: 'asc' } })).map(
      ({ name, disabledReason }) => `${name} ${disabledReason}`,
    );
  expect(await applyDeclaredEndpoints(deps, [erp])).toEqual({
    applied: 1,
    disabled: 1,
    refused: 0,
  });
  expect(await states()).toEqual(['erp null', 'crm not_in_file']);
  expect(await applyDeclaredEndpoints(deps, [])).toEqual({ applied: 0, disabled: 1, refused: 0 });
  await applyDeclaredEndpoints(deps, two);
  expect(await states()).toEqual(['erp null', 'crm null']);
  const { id } = await deps.prisma.webhookEndpoint.findFirstOrThrow({ where: { name: 'erp' } });
  await disableEndpoint(deps, { ...lin, endpoint: id });
  await applyDeclaredEndpoints(deps, two);
  expect(await states()).toEqual(['erp operator', 'crm null']);
});

test('the file cannot use the name of an endpoint of the API, until that one is deleted', async () => {
  const deps = await deliveryDatabase();
  const { id } = await makeEndpoint(deps, 'erp');
  expect(await applyDeclaredEndpoints(deps, [erp])).toEqual({
    applied: 0,
    disabled: 0,
    refused: 1,
  });
  expect(await deps.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })).toMatchObject({
    source: 'api',
  });
  await deleteEndpoint(deps, { ...lin, endpoint: id });
  expect(await applyDeclaredEndpoints(deps, [erp])).toMatchObject({ applied: 1 });
  expect(await deps.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })).toMatchObject({
    source: 'file',
    deletedAt: null,
  });
});

test('without a key nothing is stored, and stored endpoints stay unchanged', async () => {
  const deps = await deliveryDatabase();
  const keyless = { ...deps, clock: deps.clock, encryptionKeys: null };
  expect(await applyDeclaredEndpoints(keyless, [erp])).toMatchObject({ applied: 0, refused: 1 });
  expect(await deps.prisma.webhookEndpoint.count()).toBe(0);
  await applyDeclaredEndpoints(deps, [erp]);
  await applyDeclaredEndpoints(keyless, [erp]);
  expect(await deps.prisma.webhookEndpoint.findFirstOrThrow()).toMatchObject({ disabledAt: null });
});
