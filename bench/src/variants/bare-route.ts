import { readChannelFile } from '@payonce/core/config/channel-file';
import { consumerRedis } from '@payonce/core/queue/connection';
import {
  jobIdFor,
  NOTIFICATION_QUEUE,
  type NotificationJob,
  queuedBody,
} from '@payonce/core/queue/job';
import { queuedJob } from '@payonce/core/queue/job-options';
import { Queue } from 'bullmq';
import { fastify } from 'fastify';

// The minimum that can acknowledge: the same verification and one `queue.add`. No limits, no
// metrics, no standby, no deadline, and no check that Redis keeps its data.
const channels = readChannelFile(process.env);
const queue = new Queue<NotificationJob>(NOTIFICATION_QUEUE, {
  connection: consumerRedis({
    topology: { kind: 'single', url: process.env.REDIS_URL ?? '' },
    key: '',
  }),
  prefix: 'payonce',
});
const app = fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post<{ Params: { channel: string }; Body: Buffer }>(
  '/notify/alipay/:channel',
  async (request, reply) => {
    const channel = channels.get(request.params.channel);
    const receivedAt = new Date();
    const verified = channel?.provider.verify({ body: request.body, headers: {}, receivedAt });
    if (!channel || !verified?.ok) return reply.code(401).send('fail');
    const job: NotificationJob = {
      version: 3,
      provider: channel.provider.id,
      channel: channel.key,
      notificationId: verified.notificationId,
      receivedAt: receivedAt.toISOString(),
      ...queuedBody(request.body),
      headers: {},
    };
    const { name, data, opts } = queuedJob({ id: jobIdFor(job, verified.digest), data: job });
    await queue.add(name, data, opts);
    return reply.send('success');
  },
);
await app.listen({ host: '127.0.0.1', port: Number(process.env.PAYONCE_PORT) });
process.once('SIGTERM', () => process.exit());
