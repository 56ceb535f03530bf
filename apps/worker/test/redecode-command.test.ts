import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAlipaySigner } from '@payonce/testkit/signers/alipay';
import { bareBase64, generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { redecodeCommand } from '../src/redecode/command.js';
import { openTestDatabase, type TestDatabase } from './running.js';

const pair = generateRsaKeyPair();
const payee = { appId: '2021000000000001', sellerId: '2088000000000001' };
const signer = createAlipaySigner({ privateKey: pair.privateKey, ...payee });

describe('node apps/worker/dist/redecode/main.js', () => {
  let database: TestDatabase;
  let folder: string;
  beforeEach(async () => {
    database = await openTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'payonce-redecode-'));
    writeFileSync(join(folder, 'key.pem'), bareBase64(pair.publicKey));
    writeFileSync(
      join(folder, 'channels.yaml'),
      `channels: { shop: { provider: alipay, merchant: tea, appId: "${payee.appId}",
         sellerIds: ["${payee.sellerId}"], publicKeys: [{ file: key.pem }] } }`,
    );
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('missing settings are named together, with exit code 2', async () => {
    const lines: string[] = [];
    expect(await redecodeCommand([], {}, (line) => void lines.push(line))).toBe(2);
    expect(lines).toEqual([
      'DATABASE_URL: is not set',
      'PAYONCE_CHANNELS_FILE: the file cannot be read',
    ]);
  });

  async function run(...args: string[]) {
    const lines: string[] = [];
    const env = {
      DATABASE_URL: database.url,
      PAYONCE_CHANNELS_FILE: join(folder, 'channels.yaml'),
    };
    const code = await redecodeCommand(args, env, (line) => void lines.push(line));
    return { code, text: lines.join('\n'), plan: lines.at(-1)?.split(' ')[1] ?? '' };
  }

  /** A notice that a previous release did not understand. */
  async function hold(orderNumber: string): Promise<void> {
    const { body, notificationId } = signer.payment({
      ...{ orderNumber, trade: `T${orderNumber}`, amount: 8_888n, paidAt: new Date() },
    });
    await database.prisma.notification.create({
      data: {
        ...{ provider: 'alipay', channel: 'shop', merchant: 'tea', digest: 'a'.repeat(64) },
        ...{ notificationId: notificationId ?? '', authenticity: 'signed', status: 'held' },
        ...{ body: new Uint8Array(body), headers: {} },
        ...{ receivedAt: new Date(), createdAt: new Date() },
        events: {
          create: {
            ...{ position: 0, merchant: 'tea', outcome: 'held', holdReason: 'unsupported_event' },
            event: { kind: 'unsupported', orderNumber: null, says: 'ambiguous' },
            ...{ createdAt: new Date(), decidedAt: new Date() },
          },
        },
      },
    });
  }

  test('prints a plan, does exactly that, and then has nothing left to do', async () => {
    await database.register('A1');
    await hold('A1');
    await hold('A2');
    const planned = await run();
    expect(planned.code).toBe(0);
    expect(planned.text).toContain('event 0 held (unsupported_event) -> applied');
    expect(planned.text).toContain('event 0 held (unsupported_event) -> held (unknown_order)');
    expect(await database.statusOf('A1')).toBe('pending');

    const done = await run('--execute', planned.plan, '--actor', 'li', '--reason', 'update');
    expect(done.code).toBe(0);
    expect(done.text).toContain('2 notifications: 1 applied, 1 held (unknown_order)');
    expect(await database.statusOf('A1')).toBe('paid');
    expect(await database.prisma.auditLog.findMany()).toMatchObject([
      { actor: 'li', detail: { reason: 'update', decodedAgain: true } },
      { actor: 'li' },
    ]);
    expect((await run('--execute', planned.plan)).code).toBe(3);
  });

  test('leaves messages of a lost key unchanged, and reports that', async () => {
    await hold('A1');
    writeFileSync(join(folder, 'key.pem'), bareBase64(generateRsaKeyPair().publicKey));
    const planned = await run();
    expect(planned.text).toContain('unverifiable');
    expect((await run('--execute', planned.plan)).code).toBe(0);
    expect(await database.prisma.notificationEvent.findMany()).toMatchObject([
      { outcome: 'held', holdReason: 'unsupported_event' },
    ]);
  });

  test('explains itself, and refuses unknown options and settings', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, text: expect.stringContaining('--max') });
    expect((await run('--execute', 'abc')).code).toBe(2);
    expect((await run('--max', '0')).code).toBe(2);
    expect((await run('--all')).code).toBe(2);
    expect(await redecodeCommand([], {}, () => {})).toBe(2);
  });
});
