import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'node:querystring';
import { SIMULATED } from '@payonce/testkit/channels/channels';
import { AlipaySdk } from 'alipay-sdk';
import { fastify } from 'fastify';
import { applyTheUsualWay, openUsualDatabase } from './usual-transaction.js';

// The usual handler: the SDK verifies, and the order is updated inside the request.
const secrets = join(dirname(process.env.PAYONCE_CHANNELS_FILE ?? ''), 'secrets');
const publicKey = readFileSync(join(secrets, 'sim-alipay-public.pem'), 'utf8');
const sdk = new AlipaySdk({
  appId: SIMULATED.alipay.appId,
  // For signing requests, of which there are none here; the constructor requires one.
  privateKey: '-',
  alipayPublicKey: publicKey.replace(/-----[A-Z ]+-----|\s/g, ''),
});
const prisma = openUsualDatabase(Number(process.env.BENCH_POOL));
const app = fastify({ logger: false });
app.addContentTypeParser(
  /^application\/x-www-form-urlencoded/,
  { parseAs: 'buffer' },
  (_request, body, done) => done(null, body),
);
app.post<{ Body: Buffer }>('/notify/alipay/sim-alipay', async (request, reply) => {
  const fields = parse(request.body.toString('utf8')) as Record<string, string>;
  if (!sdk.checkNotifySignV2(fields)) return reply.code(401).send('fail');
  await applyTheUsualWay(prisma, {
    channel: 'sim-alipay',
    merchant: SIMULATED.merchant,
    notificationId: fields.notify_id ?? '',
    digest: '0'.repeat(64),
    receivedAt: new Date(),
    body: request.body,
    orderNumber: fields.out_trade_no ?? '',
    amount: BigInt((fields.total_amount ?? '').replace('.', '')),
  });
  return reply.send('success');
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PAYONCE_PORT) });
process.once('SIGTERM', () => process.exit());
