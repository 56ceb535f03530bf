import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '@payonce/core/runtime/clock';
import { createLog } from '@payonce/core/runtime/log';
import type { EncryptionKeys } from '@payonce/orders/endpoints/encryption-keys';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { createTestDatabasePool, POOLED_CLIENT } from '@payonce/testkit/stores/test-database-pool';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { inject } from 'vitest';
import { buildApp } from '../src/app.js';
import { type Backlog, createBacklog } from '../src/backlog.js';
import { createBoard } from '../src/plugins/bull-board.js';
import type { IdentitySettings } from '../src/plugins/session-user.js';

/** A log that writes nothing. */
export const silent = createLog({ name: 'console-test', level: 'silent' });

export interface TestConsole {
  readonly app: FastifyInstance;
  readonly prisma: PrismaClient;
  readonly board: ReturnType<typeof createBoard>;
  readonly backlog: Backlog;
  readonly databaseUrl: string;
  readonly password: string;
  readonly apiKey: string;
  close(): Promise<void>;
}

const connect = (url: string) => createPrisma({ url, poolSize: 4, applicationName: POOLED_CLIENT });
const takeDatabase = createTestDatabasePool(connect);

/** A console with a separate database, unless one is given. */
export async function startConsole(
  options: {
    https?: boolean;
    databaseUrl?: string;
    clock?: Clock;
    encryptionKeys?: EncryptionKeys | null;
    identity?: IdentitySettings;
    channelsFile?: string;
  } = {},
): Promise<TestConsole> {
  const { url: databaseUrl, client: prisma, release } = await databaseOf(options);
  const password = randomBytes(12).toString('hex');
  const apiKey = randomBytes(32).toString('hex');
  const board = createBoard();
  const backlog = createBacklog(['redis', 'postgres']);
  const app = await buildApp({
    config: {
      user: 'operator',
      password,
      apiKey,
      https: options.https ?? false,
      trustedProxies: [],
      encryptionKeys:
        options.encryptionKeys === undefined
          ? [{ id: null, key: randomBytes(32) }]
          : options.encryptionKeys,
      webhookNetworks: [],
      identity: options.identity ?? null,
      channelsFile: options.channelsFile ?? null,
    },
    prisma,
    board,
    backlog,
    log: silent,
    clock: options.clock ?? systemClock,
  });
  return {
    app,
    prisma,
    board,
    backlog,
    databaseUrl,
    password,
    apiKey,
    async close() {
      await app.close();
      await release();
    },
  };
}

/** A given database belongs to another console, which keeps it. */
async function databaseOf({ databaseUrl: url }: { databaseUrl?: string }) {
  if (url === undefined) {
    return takeDatabase({
      postgresUrl: inject('postgresUrl'),
      templateDatabase: inject('templateDatabase'),
    });
  }
  const client = connect(url);
  return { url, client, release: () => client.$disconnect() };
}

export async function asAdmin(statement: string): Promise<void> {
  const url = inject('postgresUrl');
  const admin = createPrisma({ url, poolSize: 1, applicationName: 'console-test-admin' });
  try {
    await admin.$executeRawUnsafe(statement);
  } finally {
    await admin.$disconnect();
  }
}

/** The cookies that a browser keeps of the answers. */
export function cookiesOf(...responses: LightMyRequestResponse[]): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const { name, value } of responses.flatMap((response) => response.cookies)) {
    if (value === '') delete kept[name];
    else kept[name] = value;
  }
  return kept;
}

export function formTokenIn(page: string): string {
  const token = /name="formToken" value="([^"]+)"/.exec(page)?.[1];
  if (token === undefined) throw new Error('the page has no form token');
  return token;
}

/** Fills in the login form as a browser does. */
export async function submitLogin(
  app: FastifyInstance,
  fields: { user?: string; password: string },
  remoteAddress = '127.0.0.1',
): Promise<{ form: LightMyRequestResponse; answer: LightMyRequestResponse }> {
  const form = await app.inject({ url: '/login', remoteAddress });
  const answer = await app.inject({
    method: 'POST',
    url: '/login',
    remoteAddress,
    cookies: cookiesOf(form),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    },
    payload: new URLSearchParams({
      formToken: formTokenIn(form.body),
      user: fields.user ?? 'operator',
      password: fields.password,
    }).toString(),
  });
  return { form, answer };
}

/** @returns the cookies of a fresh session */
export async function logIn({ app, password }: TestConsole): Promise<Record<string, string>> {
  const { form, answer } = await submitLogin(app, { password });
  if (answer.statusCode !== 303) throw new Error(`the login was refused: ${answer.statusCode}`);
  return cookiesOf(form, answer);
}

/**
 * A request to the API, with the bootstrap key unless another one is given; null: without a key.
 */
export function call(
  { app, apiKey }: TestConsole,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  {
    key = apiKey,
    ...options
  }: {
    key?: string | null;
    payload?: object;
    /** Raw, instead of `payload` as JSON. */
    body?: string;
    headers?: Record<string, string>;
    remoteAddress?: string;
  } = {},
): Promise<LightMyRequestResponse> {
  const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) };
  return app.inject({ ...options, method, url: `/v1${path}`, headers });
}

/** Creates a bearer key, for all merchants by default. @returns the key itself */
export async function makeKey(
  server: TestConsole,
  name: string,
  role: 'read' | 'operate' | 'admin',
  merchants?: readonly string[],
): Promise<string> {
  const answer = await call(server, 'POST', '/api-keys', { payload: { name, role, merchants } });
  if (answer.statusCode !== 201) throw new Error(`no key was made: ${answer.body}`);
  return answer.json().key;
}
