import { createLog } from '@payonce/core/runtime/log';
import { redeliverParked } from '@payonce/orders/deliveries/redeliver-many';
import { disableEndpoint, enableEndpoint } from '@payonce/orders/endpoints/switch';
import { eventually } from '@payonce/testkit/machine/poll';
import { describe, expect, test } from 'vitest';
import {
  closedOrder,
  type DeliveryDatabase,
  deliver,
  deliveryDatabase,
  lin,
  MINUTE,
  makeEndpoint,
  pass,
} from './deliveries.js';
import { fail, hookServer, ok } from './hooks.js';

const DAY = 24 * 60 * MINUTE;

const endpointOf = ({ prisma }: DeliveryDatabase, id: bigint) =>
  prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } });
const deliveriesOf = ({ prisma }: DeliveryDatabase) =>
  prisma.delivery.findMany({ orderBy: { id: 'asc' } });

/** No try is under way, and so many were made. */
const tried = (deps: DeliveryDatabase, tries: number) =>
  eventually(async () => {
    expect(await deps.prisma.deliveryAttempt.count()).toBe(tries);
    expect(await deps.prisma.delivery.count({ where: { leaseUntil: { not: null } } })).toBe(0);
  });

describe('Retry-After', () => {
  test('of an overloaded endpoint is honoured, for all of its waiting deliveries', async () => {
    const deps = await deliveryDatabase();
    let busy = true;
    const shop = await hookServer((response) => {
      response.writeHead(busy ? 429 : 204, { 'retry-after': '120' }).end();
    });
    await makeEndpoint(deps, 'erp', shop.url);
    await closedOrder(deps, 'A1');
    deliver(deps);
    await tried(deps, 1);
    const [row] = await deliveriesOf(deps);
    expect(row?.nextAttemptAt).toEqual(new Date(deps.now.getTime() + 120_000));
    busy = false;
    await closedOrder(deps, 'A2');
    // Fanned out before another endpoint exists, which would receive it, too.
    await eventually(async () => expect(await deliveriesOf(deps)).toHaveLength(2));
    pass(deps, 119_000);
    const other = await hookServer();
    await makeEndpoint(deps, 'crm', other.url);
    await closedOrder(deps, 'A3');
    await eventually(() => expect(other.told()).toEqual(['A3 closed']));
    expect(shop.heard).toHaveLength(1);
    pass(deps, 1_000);
    await eventually(() => expect(shop.heard).toHaveLength(4));
  });

  test('as a date, on any failure, delays that delivery', async () => {
    const deps = await deliveryDatabase();
    const until = new Date(Math.ceil(deps.now.getTime() / 1_000) * 1_000 + 10 * MINUTE);
    const shop = await hookServer((response) => {
      response.writeHead(500, { 'retry-after': until.toUTCString() }).end();
    });
    await makeEndpoint(deps, 'erp', shop.url);
    await closedOrder(deps);
    deliver(deps);
    await tried(deps, 1);
    expect((await deliveriesOf(deps))[0]?.nextAttemptAt).toEqual(until);
  });
});

describe('the circuit of an endpoint', () => {
  test('opens when it fails repeatedly, allows one probe, and closes when that succeeds', async () => {
    const deps = await deliveryDatabase();
    let well = false;
    let waiting: (() => void)[] = [];
    const shop = await hookServer((response, heard) => {
      if (!well) fail(response, heard);
      else waiting.push(() => ok(response, heard));
    });
    const { id } = await makeEndpoint(deps, 'erp', shop.url);
    for (let n = 0; n < 8; n += 1) await closedOrder(deps, `A${n}`);
    // Two workers: together they send one probe.
    deliver(deps);
    deliver(deps);
    await eventually(async () => {
      expect((await endpointOf(deps, id)).openUntil).not.toBeNull();
    });
    await eventually(async () => {
      expect(await deps.prisma.delivery.count({ where: { leaseUntil: { not: null } } })).toBe(0);
    });
    const before = shop.heard.length;
    expect(before).toBeLessThanOrEqual(10);
    well = true;
    pass(deps, 30_000);
    await eventually(() => expect(waiting).toHaveLength(1));
    const { openUntil } = await endpointOf(deps, id);
    expect(openUntil?.getTime()).toBeGreaterThan(deps.now.getTime());
    const probe = waiting;
    waiting = [];
    for (const answer of probe) answer();
    // The deliveries whose turn it is; the others wait for theirs.
    await eventually(async () => {
      expect(await endpointOf(deps, id)).toMatchObject({ failures: 0, openUntil: null });
    });
    pass(deps, 10 * MINUTE);
    await eventually(async () => {
      for (const answer of waiting.splice(0)) answer();
      const rows = await deliveriesOf(deps);
      expect(rows.map((row) => row.state)).toEqual(Array(8).fill('delivered'));
    });
  });
});

test('a payload that this release cannot read is no fault of the endpoint', async () => {
  const deps = await deliveryDatabase();
  const shop = await hookServer();
  const { id } = await makeEndpoint(deps, 'erp', shop.url);
  await closedOrder(deps);
  await deps.prisma.orderEvent.updateMany({ data: { payload: { of: 'a later version' } } });
  deliver(deps);
  await tried(deps, 1);
  expect(shop.heard).toEqual([]);
  expect(await deliveriesOf(deps)).toMatchObject([{ state: 'pending', attempts: 1 }]);
  expect(await endpointOf(deps, id)).toMatchObject({ failures: 0, failingSince: null });
});

describe('an endpoint is disabled', () => {
  test('when it has only failed for days, with an error in the log', async () => {
    const deps = await deliveryDatabase();
    const shop = await hookServer(fail);
    const { id } = await makeEndpoint(deps, 'erp', shop.url);
    await closedOrder(deps, 'A1');
    const lines: string[] = [];
    const log = createLog({ name: 'test' }, { write: (line: string) => void lines.push(line) });
    const { prisma } = deps;
    deliver(deps, {
      deps: { prisma, clock: () => deps.now, disableAfterMs: 2 * DAY, random: () => 0, log },
    });
    for (let tries = 1; tries <= 3; tries += 1) {
      await tried(deps, tries);
      pass(deps, DAY);
    }
    await eventually(async () => {
      expect(await endpointOf(deps, id)).toMatchObject({ disabledReason: 'failing' });
    });
    expect(await deliveriesOf(deps)).toMatchObject([
      { state: 'parked', parkedReason: 'endpoint_disabled' },
    ]);
    const [alert] = lines.filter((line) => line.includes('endpoint.disabled'));
    expect(JSON.parse(alert ?? '{}')).toMatchObject({
      level: 'error',
      endpoint: 'erp',
      reason: 'failing',
    });
  });

  test('when it responds 410; later deliveries are parked, and can be sent again', async () => {
    const deps = await deliveryDatabase();
    let gone = true;
    const shop = await hookServer((response) => void response.writeHead(gone ? 410 : 204).end());
    const { id } = await makeEndpoint(deps, 'erp', shop.url);
    await closedOrder(deps, 'A1');
    deliver(deps);
    await eventually(async () => {
      expect(await endpointOf(deps, id)).toMatchObject({ disabledReason: 'gone' });
    });
    await closedOrder(deps, 'A2');
    await eventually(async () => {
      expect(await deliveriesOf(deps)).toMatchObject([
        { state: 'parked', parkedReason: 'endpoint_disabled', attempts: 1 },
        { state: 'parked', parkedReason: 'endpoint_disabled', attempts: 0 },
      ]);
    });
    expect(shop.heard).toHaveLength(1);
    gone = false;
    await enableEndpoint(deps, { ...lin, endpoint: id });
    await redeliverParked(deps, { ...lin, endpoint: id });
    await eventually(() => expect(shop.told()).toEqual(['A1 closed', 'A1 closed', 'A2 closed']));
  });

  test('during a try: that one counts if it succeeds', async () => {
    const deps = await deliveryDatabase();
    let answer = () => {};
    const shop = await hookServer((response, heard) => {
      answer = () => ok(response, heard);
    });
    const { id } = await makeEndpoint(deps, 'erp', shop.url);
    await closedOrder(deps);
    deliver(deps);
    await eventually(() => expect(shop.heard).toHaveLength(1));
    await disableEndpoint(deps, { ...lin, endpoint: id });
    expect(await deliveriesOf(deps)).toMatchObject([{ state: 'parked' }]);
    answer();
    await eventually(async () => {
      expect(await deliveriesOf(deps)).toMatchObject([{ state: 'delivered', parkedReason: null }]);
    });
  });
});
