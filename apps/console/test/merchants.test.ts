import { allows, ROLES, type Role } from '@payonce/orders/access/api-keys';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API, FOREIGN, PAGES, PUBLIC, type RouteEntry } from './route-table.js';
import { routesOf } from './routes-of.js';
import { deadLetterOf, type Stock, stockFor } from './stock.js';
import { call, cookiesOf, formTokenIn, startConsole, type TestConsole } from './support.js';

/** Every caller asks for rows of `acme-shop`; there is another merchant as well. */
const CALLERS = {
  all: ['*'],
  own: ['acme-shop', 'another-shop'],
  pattern: ['acme-*'],
  foreign: ['zorg-shop'],
} as const;
type Whom = keyof typeof CALLERS;
const WHOM = Object.keys(CALLERS) as Whom[];
const CASES = WHOM.flatMap((whom) => ROLES.map((role) => [role, whom] as const));
const PROXY = '10.1.2.3';

let server: TestConsole;
/** By role: the role of people named by the proxy is a setting. */
const consoles = new Map<Role, TestConsole>();
let acme: Stock;
beforeAll(async () => {
  server = await startConsole();
  const { databaseUrl } = server;
  for (const role of ROLES) {
    const proxies = [PROXY];
    const identity = { header: 'x-user', role, merchants: { header: 'x-merchants' }, proxies };
    consoles.set(role, await startConsole({ databaseUrl, identity }));
  }
  await stockFor(server, 'zorg');
  acme = await stockFor(server, 'acme');
  await deadLetterOf(server, 'acme');
  await deadLetterOf(server, 'zorg');
  // The first key, which administrators revoke.
  await call(server, 'POST', '/api-keys', { payload: { name: 'first', role: 'read' } });
});
afterAll(async () => {
  for (const one of consoles.values()) await one.close();
  await server.close();
});

/** The expected refusal of the guard; null if it must let the caller in. */
function refusal({ whose, role: needed }: RouteEntry, role: Role, whom: Whom): number | null {
  if (!allows(role, needed)) return 403;
  if (whose === 'all') return whom === 'all' ? null : 403;
  if (whom !== 'foreign') return null;
  return whose === 'row' ? 404 : whose === 'named' ? 403 : null;
}

interface Answer {
  readonly status: number;
  /** Without the request's address, which pages contain. */
  readonly text: string;
}

/** The faults of an answer; empty when it is as expected. */
function faultsOf(route: string, entry: RouteEntry, role: Role, whom: Whom, answer: Answer) {
  const { status, text } = answer;
  const refused = refusal(entry, role, whom);
  const expected = refused === null ? (entry.serves ?? [200]) : [refused];
  const faults: string[] = [];
  if (!expected.includes(status))
    faults.push(`${route}: ${status}, not ${expected}: ${text.slice(0, 200)}`);
  const says = (mark: string) => text.toLowerCase().includes(mark);
  if (says('zorg') && (whom === 'own' || whom === 'pattern')) faults.push(`${route} tells of zorg`);
  if (says('acme') && (whom === 'foreign' || refused !== null))
    faults.push(`${route} tells of acme`);
  const isRead = route.startsWith('GET') && entry.whose === 'listed' && refused === null;
  if (isRead && says('acme') !== (whom !== 'foreign'))
    faults.push(`${route} does not list its own`);
  if (isRead && says('zorg') !== (whom === 'foreign' || whom === 'all')) {
    faults.push(`${route} does not list of zorg what it should`);
  }
  return faults;
}

function answerOf(url: string, { statusCode, body, headers }: LightMyRequestResponse): Answer {
  const own = body.replaceAll('&amp;', '&').replaceAll(url, '');
  return { status: statusCode, text: `${own} ${JSON.stringify(headers)}` };
}

/** All rows that one merchant's callers could have changed. */
async function contents(): Promise<string> {
  const tables = [
    ...['orders', 'facts', 'trades', 'notifications', 'notification_events', 'order_events'],
    ...['deliveries', 'webhook_endpoints', 'dead_letters', 'audit_log'],
  ];
  const rows: string[] = [];
  for (const table of tables) {
    const found = await server.prisma.$queryRawUnsafe<{ row: string }[]>(
      `SELECT row_to_json(t)::text AS row FROM ${table} t ORDER BY 1`,
    );
    rows.push(...found.map(({ row }) => row));
  }
  const keys = await server.prisma.apiKey.findMany({ orderBy: { id: 'asc' } });
  return [...rows, ...keys.map(({ id, revokedAt }) => `${id} ${revokedAt}`)].join('\n');
}

it('every route of the console is in the table, and no other', async () => {
  const served = routesOf(server.app).filter(
    (route) => !Object.keys(FOREIGN).some((path) => route.split(' ')[1]?.startsWith(path)),
  );
  const listed = Object.keys({ ...API, ...PAGES }).filter(
    (route) => !/ \/(docs|queues)/.test(route),
  );
  expect(served.sort()).toEqual([...listed, ...PUBLIC].sort());
});

describe('the API', () => {
  const keys = new Map<string, string>();
  beforeAll(async () => {
    for (const [role, whom] of CASES) {
      const payload = { name: `${role}-${whom}`, role, merchants: CALLERS[whom] };
      const answer = await call(server, 'POST', '/api-keys', { payload });
      keys.set(`${role} ${whom}`, answer.json().key);
    }
  });
  const ask = async (route: string, entry: RouteEntry, key: string | null) => {
    const [method] = route.split(' ') as ['GET' | 'POST'];
    const url = entry.url(acme);
    const payload = entry.payload?.(acme);
    const answer = await call(server, method, url.replace('/v1', ''), {
      key,
      ...(payload && { payload }),
    });
    return answerOf(url, answer);
  };

  it('reveals nothing to callers without a key', async () => {
    const before = await contents();
    for (const [route, entry] of Object.entries(API)) {
      const { status, text } = await ask(route, entry, null);
      expect([route, status, /acme|zorg/i.test(text)]).toEqual([route, 401, false]);
    }
    expect(await contents()).toBe(before);
  });

  it.each(CASES)(
    'to a key with role %s for merchants %s: each route as it should',
    async (role, whom) => {
      const before = await contents();
      const faults: string[] = [];
      for (const [route, entry] of Object.entries(API)) {
        const answer = await ask(route, entry, keys.get(`${role} ${whom}`) ?? '');
        faults.push(...faultsOf(route, entry, role, whom, answer));
      }
      expect(faults).toEqual([]);
      if (whom === 'foreign') expect(await contents()).toBe(before);
    },
  );
});

describe('the pages', () => {
  const ask = async (
    route: string,
    entry: RouteEntry,
    role: Role,
    merchants: string | null,
  ): Promise<Answer> => {
    const { app } = consoles.get(role) ?? server;
    const [method] = route.split(' ') as ['GET' | 'POST'];
    const named = merchants === null ? {} : { 'x-user': 'lin', 'x-merchants': merchants };
    const options = { remoteAddress: PROXY, headers: named };
    const page = await app.inject({ url: '/orders', ...options });
    const url = entry.url(acme);
    const formToken = method === 'POST' && merchants !== null ? formTokenIn(page.body) : '';
    const payload = new URLSearchParams({ ...(entry.payload?.(acme) as object), formToken });
    const answer = await app.inject({
      ...{ method, url, ...options, cookies: cookiesOf(page) },
      ...(method === 'POST' && {
        payload: payload.toString(),
        headers: { ...named, 'content-type': 'application/x-www-form-urlencoded' },
      }),
    });
    return answerOf(url, answer);
  };

  it('reveal nothing without a login', async () => {
    for (const [route, entry] of Object.entries(PAGES)) {
      const { status, text } = await ask(route, entry, 'admin', null);
      expect([route, status, /acme|zorg/i.test(text)]).toEqual([route, 401, false]);
    }
  });

  it.each(CASES)(
    'to a person with role %s for merchants %s: each page as it should',
    async (role, whom) => {
      const before = await contents();
      const faults: string[] = [];
      for (const [route, entry] of Object.entries(PAGES)) {
        const answer = await ask(route, entry, role, CALLERS[whom].join());
        faults.push(...faultsOf(route, entry, role, whom, answer));
      }
      expect(faults).toEqual([]);
      if (whom === 'foreign') expect(await contents()).toBe(before);
    },
  );
});
