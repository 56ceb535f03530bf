import { verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@payonce/core/runtime/log';
import { ensureSimulatedChannels } from '@payonce/testkit/channels/channels';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { buildApp } from '../src/app.js';
import { createPlayer, type Player } from '../src/player.js';
import { createSendings } from '../src/sendings.js';
import { type Answer, type NotifyServer, startNotifyServer } from './notify-server.js';

export interface Simulation {
  readonly app: FastifyInstance;
  /** Stands in for the gateway. */
  readonly gateway: NotifyServer;
  readonly player: Player;
  post(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }>;
}

export interface SimulationOptions {
  /** A million by default: the whole ladder within a tenth of a second. */
  readonly timeCompression?: number;
  readonly deadlineMs?: number;
  readonly remembered?: number;
}

/** Registers its clean-up with the test file that calls it. */
export function useSimulator() {
  const directory = mkdtempSync(join(tmpdir(), 'payonce-simulator-'));
  const channels = ensureSimulatedChannels(directory);
  const closers: (() => Promise<void>)[] = [];
  beforeAll(async () => void (await channels));
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  async function simulate(
    answer: (count: number) => Answer | Promise<Answer>,
    { timeCompression = 1_000_000, deadlineMs = 5_000, remembered = 100 }: SimulationOptions = {},
  ): Promise<Simulation> {
    const gateway = await startNotifyServer(answer);
    const sendings = createSendings(remembered);
    const settings = { gatewayUrl: gateway.url, timeCompression, deadlineMs };
    const player = createPlayer({ ...settings, channels: await channels, sendings });
    const log = createLog({ name: 'test', level: 'silent' });
    const app = await buildApp({ player, sendings, log });
    closers.push(gateway.close, () => app.close(), player.stop);
    return {
      app,
      gateway,
      player,
      async post(path, payload) {
        const { statusCode, body } = await app.inject({ method: 'POST', url: path, payload });
        return { status: statusCode, body: JSON.parse(body) };
      },
    };
  }

  /** Verifies like a merchant, with the public key of the channel file. */
  function alipayVerifies({ body }: { readonly body: Buffer }): boolean {
    const {
      sign = '',
      sign_type,
      ...fields
    } = Object.fromEntries(new URLSearchParams(body.toString()));
    const text = Object.keys(fields)
      .sort()
      .map((name) => `${name}=${fields[name]}`);
    const key = readFileSync(join(directory, 'secrets/sim-alipay-public.pem'));
    return verify('sha256', Buffer.from(text.join('&')), key, Buffer.from(sign, 'base64'));
  }

  return { simulate, alipayVerifies };
}

export const OK: Answer = { status: 200, body: 'success' };
export const NO: Answer = { status: 503, body: 'fail' };
export const payment = { kind: 'payment', orderNumber: 'T1', trade: '42', amount: '8888' };
export const alipay = { channel: 'sim-alipay', message: payment };
