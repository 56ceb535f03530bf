import { PassThrough } from 'node:stream';
import type { Merchants } from '@payonce/orders/access/merchants';
import type { PrismaClient } from '@payonce/prisma/client';
import type { FastifyInstance } from 'fastify';
import { nothingHere, sendProblem } from '../api/problems.js';
import type { Session, Sessions } from '../auth/sessions.js';
import { sessionOf } from '../parts/page-context.js';
import { textIn } from '../parts/query.js';
import { merchantsOf } from '../plugins/merchants.js';
import { isOwnRow } from '../reads/own-row.js';
import { type Topic, topicOf } from '../reads/topics.js';
import type { LiveHub } from './hub.js';

/** Pages that are visible at one time; a hidden one watches nothing. */
const MAX_STREAMS_PER_SESSION = 4;
/**
 * Proxies close a connection that is silent for a minute. The end of a session is noticed as soon
 * as that.
 */
const HEARTBEAT_MS = 15_000;

/**
 * Server-sent events with the only message "there is news"; the page then refreshes itself. A
 * stream ends with its session and with the console.
 */
export async function liveRoute(
  app: FastifyInstance,
  options: { prisma: PrismaClient; hub: LiveHub; sessions: Sessions; sessionCookie: string },
): Promise<void> {
  const { prisma, hub, sessions, sessionCookie } = options;
  const open = new Map<Session, Set<PassThrough>>();
  app.addHook('preClose', async () => {
    hub.close();
    for (const streams of open.values()) for (const stream of streams) stream.end();
  });

  // Not for HEAD: nobody would read the stream, and it would stay open.
  const config = { merchants: 'listed' } as const;
  app.get('/live', { config, exposeHeadRoute: false }, async (request, reply) => {
    const merchants = merchantsOf(request);
    const topic = topicOf(textIn(request, 'topic'), textIn(request, 'id'), merchants);
    if (topic === null || !(await mayWatch(prisma, topic, merchants))) {
      return sendProblem(reply, nothingHere);
    }
    const session = sessionOf(request);
    const streams = open.get(session) ?? new Set();
    // 204 tells a browser not to reconnect.
    if (streams.size >= MAX_STREAMS_PER_SESSION) return reply.code(204).send();

    const stream = new PassThrough();
    open.set(session, streams.add(stream));
    stream.write('retry: 3000\n\n');
    const stop = hub.watch(topic, () => stream.write('event: change\ndata:\n\n'));
    const id = request.cookies[sessionCookie] ?? '';
    const heartbeat = setInterval(() => {
      // Only looks, so that an open page does not keep a session alive.
      if (sessions.find(id, 'look') !== null) stream.write(':\n\n');
    }, HEARTBEAT_MS);
    const end = () => stream.end();
    session.ended.addEventListener('abort', end);
    stream.once('close', () => {
      stop();
      clearInterval(heartbeat);
      session.ended.removeEventListener('abort', end);
      streams.delete(stream);
      if (streams.size === 0) open.delete(session);
    });
    return reply.type('text/event-stream').send(stream);
  });
}

async function mayWatch(
  prisma: PrismaClient,
  topic: Topic,
  merchants: Merchants,
): Promise<boolean> {
  if (merchants === 'all' || topic.name === 'held') return true;
  return topic.name !== 'overview' && isOwnRow(prisma, topic.name, topic.id, merchants);
}
