import type { Logger } from 'pino';
import { expect, test } from 'vitest';
import { AppError } from './errors.js';
import { createLog } from './log.js';

function capture(level?: string) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ name: 'test', level }, { write: (line) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

/** As Fastify logs: sentences, and errors alone. */
function captureForLibrary() {
  const { log, lines } = capture();
  return { log: log as unknown as Logger, lines };
}

test('a value with a secret name is never written, at any depth', () => {
  const { log, lines } = captureForLibrary();
  const secrets = {
    password: 's3',
    apiV3Keys: ['s3'],
    clientSecret: 's3',
    headers: { authorization: 's3', cookie: 's3', 'wechatpay-signature': 's3' },
    job: { bodyBase64: 's3', sign: 's3', nested: { privateKey: 's3', token: 's3' } },
  };
  log.info(secrets, 'something');
  log.info({ list: [secrets], channel: 'shop' });
  expect(JSON.stringify(lines)).not.toContain('s3');
  expect(lines[0]).toMatchObject({ password: '[redacted]', headers: { cookie: '[redacted]' } });
  expect(lines[1]).toMatchObject({ channel: 'shop' });
});

test('credentials in an address are masked everywhere', () => {
  const { log, lines } = captureForLibrary();
  const url = 'redis://user:s3cret@10.0.0.1:6379/0';
  log.warn({ url, list: [`at ${url}`] }, `cannot reach ${url}`);
  log.warn(new Error(`cannot reach ${url}`));
  log.warn({ err: new AppError('queue_unavailable', { detail: url, cause: new Error(url) }) });
  const text = JSON.stringify(lines);
  expect(text).not.toContain('s3cret');
  expect(text.match(/redis:\/\/\*\*\*@10\.0\.0\.1/g)?.length).toBeGreaterThanOrEqual(6);
});

test('an error is written with its causes and without properties that a library attached', () => {
  const { log, lines } = capture();
  const inner = Object.assign(new Error('OOM'), {
    command: { name: 'evalsha', args: ['the body'] },
  });
  log.error({ err: new AppError('queue_unavailable', { cause: inner }) }, 'request.failed');
  expect(lines[0]).toMatchObject({
    level: 'error',
    msg: 'request.failed',
    err: { type: 'AppError', code: 'queue_unavailable', cause: { message: 'OOM' } },
  });
  expect(JSON.stringify(lines)).not.toContain('the body');
});

test("PostgreSQL's quotation of a row is not written", () => {
  const { log, lines } = capture();
  const error = Object.assign(new Error('violates'), {
    name: 'error',
    code: '23505',
    detail: 'Key (payer)=(x)',
  });
  log.error({ err: error }, 'request.failed');
  expect(JSON.stringify(lines)).not.toContain('payer');
  expect(lines[0]).toMatchObject({ err: { code: '23505' } });
});

test('odd values are no reason to fail: bytes, big integers, cycles', () => {
  const { log, lines } = capture();
  const cycle: Record<string, unknown> = { amount: 8_888n, bytes: Buffer.from('raw') };
  cycle.self = cycle;
  log.info(cycle, 'process.started');
  expect(lines[0]).toMatchObject({ amount: '8888', bytes: '(3 bytes)', msg: 'process.started' });
});

test('below the level nothing is written; an unknown level counts as info', () => {
  const quiet = capture('error');
  quiet.log.warn('queue.standby_missing');
  expect(quiet.lines).toEqual([]);
  const { log, lines } = capture('loud');
  log.debug('queue.error');
  log.info('queue.ready');
  expect(lines.map(({ msg }) => msg)).toEqual(['queue.ready']);
});

test('a word of a million letters takes no time', () => {
  const lines: string[] = [];
  const log = createLog({ name: 'test' }, { write: (line: string) => void lines.push(line) });
  const started = performance.now();
  log.info({ id: 'a'.repeat(1_000_000), other: 'b'.repeat(1_000_000) }, 'process.started');
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(lines).toHaveLength(1);
});
