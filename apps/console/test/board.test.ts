import { randomBytes, randomUUID } from 'node:crypto';
import { appRoutes } from '@bull-board/api/dist/routes.js';
import { type BullQueue, openBullQueue } from '@payonce/core/queue/bull-queue';
import { jobIdFor, type NotificationJob } from '@payonce/core/queue/job';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import type { GatewayReport } from '@payonce/core/queue/report';
import { type BullReportQueue, openBullReportQueue } from '@payonce/core/queue/report-queue';
import { migrate } from '@payonce/prisma/migrate';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { asAdmin, logIn, startConsole, type TestConsole } from './support.js';

const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
const BUYER = '2088101106499364';
const SIGNATURE = randomBytes(256).toString('base64');

const job: NotificationJob = {
  version: 3,
  provider: 'alipay',
  channel: 'shop-alipay',
  // As long as an ID in a job's ID may be, so that the address of its page has the maximum length.
  notificationId: 'n'.repeat(100),
  receivedAt: new Date().toISOString(),
  bodyBase64: Buffer.from(
    new URLSearchParams({
      out_trade_no: 'A-1001',
      trade_no: '2026112322001499361000001',
      trade_status: 'TRADE_SUCCESS',
      total_amount: '88.80',
      buyer_id: BUYER,
      buyer_logon_id: '159****5620',
      buyer_open_id: OPENID,
      sign: SIGNATURE,
    }).toString(),
  ).toString('base64'),
  headers: { 'wechatpay-signature': SIGNATURE, 'wechatpay-serial': 'PUB_KEY_ID_1' },
};
const jobId = jobIdFor(job, 'd'.repeat(64));

async function redisQueue(): Promise<{ settings: QueueSettings; drop(): Promise<void> }> {
  const prefix = `console-${randomBytes(6).toString('hex')}`;
  const url = inject('redisUrl');
  const settings: QueueSettings = {
    kind: 'redis',
    shard: 0,
    topology: { kind: 'single', url },
    prefix,
    durability: 'relaxed',
    waitReplicas: 0,
  };
  return { settings, drop: async () => {} };
}

/** In the console's test database, with the queue's role. */
async function postgresQueue(databaseUrl: string) {
  const role = `console_queue_${randomBytes(6).toString('hex')}`;
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = randomBytes(12).toString('hex');
  const queueSchema = 'payonce_queue';
  await migrate({ databaseUrl, queueDatabaseUrl: url.href, queueSchema });
  const settings: QueueSettings = { kind: 'postgres', url: url.href, schema: queueSchema };
  return { settings, drop: () => asAdmin(`DROP ROLE ${role}`) };
}

describe.each(['redis', 'postgres'] as const)('Bull Board on %s', (kind) => {
  let server: TestConsole;
  let queue: BullQueue;
  let drop: () => Promise<void>;
  let reports: BullReportQueue;
  let cookies: Record<string, string>;

  beforeAll(async () => {
    server = await startConsole();
    const store = await (kind === 'redis' ? redisQueue() : postgresQueue(server.databaseUrl));
    drop = store.drop;
    queue = openBullQueue(store.settings);
    queue.on('error', () => {});
    await queue.waitUntilReady();
    await queue.add(job.provider, job, { jobId });
    const added = await queue.getJob(jobId);
    await added?.log(`payer ${OPENID} with ${SIGNATURE}`);
    server.board.show(queue, kind);
    reports = openBullReportQueue(store.settings);
    await reports.waitUntilReady();
    server.board.showReports(reports, kind);
    cookies = await logIn(server);
  });

  afterAll(async () => {
    for (const one of [queue, reports]) {
      // In PostgreSQL it would drop a sequence, which the queue's role may not; the database goes.
      if (kind === 'redis') await one.obliterate({ force: true });
      await one.close();
    }
    await server.close();
    await drop();
  });

  function get(url: string) {
    return server.app.inject({ url: `/queues${url}`, cookies });
  }

  it('serves its page and the files that the page names', async () => {
    const page = await get('/');
    expect(page.statusCode).toBe(200);
    const files = [...page.body.matchAll(/(?:src|href)="(static\/[^"]+\.(?:js|css))"/g)];
    expect(files.length).toBeGreaterThan(2);
    for (const [, file] of files) expect((await get(`/${file}`)).statusCode).toBe(200);
  });

  it('shows the identity of a job, and masks the payer and the signatures', async () => {
    const addresses = [
      `/api/queues?activeQueue=${kind}-notifications&status=waiting`,
      `/api/queues/${kind}-notifications/${jobId}`,
      `/api/queues/${kind}-notifications/${jobId}/logs`,
      `/api/queues/${kind}-notifications/${jobId}/flow`,
    ];
    for (const address of addresses) {
      const answer = await get(address);
      expect([address, answer.statusCode]).toEqual([address, 200]);
      const secrets = [
        OPENID,
        BUYER,
        '159****5620',
        SIGNATURE.slice(0, 60),
        job.bodyBase64?.slice(0, 60),
      ];
      for (const secret of secrets) expect(answer.body).not.toContain(secret);
    }
    const shown = (await get(`/api/queues/${kind}-notifications/${jobId}`)).json();
    expect(shown.job.data).toMatchObject({
      channel: 'shop-alipay',
      headers: { 'wechatpay-serial': 'PUB_KEY_ID_1' },
      body: { fields: { out_trade_no: 'A-1001', total_amount: '88.80' } },
    });
    const listed = (await get(`/api/queues?activeQueue=${kind}-notifications`)).json();
    expect(listed.queues[0]).toMatchObject({ name: `${kind}-notifications`, readOnlyMode: true });
    expect(listed.queues[0].jobs).toHaveLength(1);
  });

  it('shows the reports of gateways, and nothing of any other data there', async () => {
    const at = new Date().toISOString();
    const report = {
      version: 1,
      reportId: randomUUID(),
      gateway: randomUUID(),
      startedAt: at,
      at,
      copies: [],
      minutes: [],
      state: { stores: [{ name: kind, state: 'ready' }], channels: [], clockSkewSeconds: {} },
    } satisfies GatewayReport;
    await reports.add('report', report, { jobId: report.reportId });
    await reports.add('report', { ...report, version: 1, payer: OPENID } as never, {
      jobId: 'odd',
    });
    const name = `${kind}-gateway-reports`;
    const shown = await get(`/api/queues/${name}/${report.reportId}`);
    expect(shown.json().job.data).toEqual({ ...report, notifications: 0 });
    const odd = await get(`/api/queues/${name}/odd`);
    expect(odd.statusCode).toBe(200);
    expect(odd.body).not.toContain(OPENID);
  });

  it('answers the requests of its page', async () => {
    for (const address of [
      '/api/redis/stats',
      `/api/queues/${kind}-notifications/metrics`,
      '/api/job-schedulers',
    ]) {
      expect([address, (await get(address)).statusCode]).toEqual([address, 200]);
    }
  });

  it('refuses everything that could change the queue, and the job stays', async () => {
    // Bull Board's route table, so that routes of a new version are refused as well.
    const changes = appRoutes.api.flatMap(({ method, route }) =>
      [method].flat().flatMap((verb) => [route].flat().map((url) => [verb, url] as const)),
    );
    const writing = changes.filter(([method]) => method !== 'get');
    expect(writing.length).toBeGreaterThan(15);
    for (const [method, route] of writing) {
      const url = `/queues${route}`
        .replace(':queueName', `${kind}-notifications`)
        .replace(':jobId', jobId)
        .replace(':queueStatus', 'waiting')
        .replace(':schedulerId', 'any');
      const answer = await server.app.inject({ method, url, cookies, payload: { data: {} } });
      expect([url, answer.statusCode]).toEqual([url, 405]);
      expect(answer.json()).toMatchObject({ code: 'read_only' });
    }
    expect(await queue.getJobCounts('waiting')).toMatchObject({ waiting: 1 });
    expect(await queue.isPaused()).toBe(false);
    expect((await queue.getJob(jobId))?.data).toEqual(job);
  });
});
