import Fastify from 'fastify';
import { Webhook } from 'standardwebhooks';
import { pageOf } from './page.mjs';

/** Far more than any order event has. */
const BODY_LIMIT_BYTES = 64 * 1024;

/**
 * POST /payonce takes order events; GET / shows them to people, GET /events and GET /orders to
 * programs.
 * @param {{ secret: string, store: import('./store.mjs').Store }} parts
 */
export function buildApp({ secret, store }) {
  const webhook = new Webhook(secret);
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES });
  let refused = 0;

  // The signature covers the received bytes. Parsing and serialising would change them.
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  app.post('/payonce', async (request, reply) => {
    const { headers, body } = request;
    const event = verified(webhook, headers, body);
    if (event === null) {
      refused += 1;
      return reply.code(401).send({ error: 'not signed for us, or not now' });
    }
    // Any 2xx means "I have it", and payonce will not send it again: first store, then answer. If
    // storing fails, Fastify answers 500, and payonce retries.
    const isNew = await store.add({ id: String(headers['webhook-id']), ...event });
    // Here a shop does its part (ship, send a licence) when `isNew`. A copy is answered like the
    // first. `order.payment_withdrawn` ends that: `data.status` says whether the order is still
    // paid.
    return reply.code(isNew ? 201 : 200).send({ new: isNew });
  });

  app.get('/', async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .send(pageOf({ orders: store.orders(), events: store.events(), refused })),
  );
  app.get('/orders', async () => ({ orders: store.orders() }));
  app.get('/events', async () => ({ refused, events: store.events() }));
  return app;
}

/**
 * The event, if it is signed with our secret and at most five minutes old (or early); otherwise
 * null.
 * @param {Webhook} webhook
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {unknown} body
 * @returns {Omit<import('./store.mjs').Event, 'id' | 'receivedAt'> | null}
 */
function verified(webhook, headers, body) {
  if (!Buffer.isBuffer(body)) return null;
  try {
    webhook.verify(body, /** @type {Record<string, string>} */ (headers), { jsonParse: false });
  } catch {
    return null;
  }
  return JSON.parse(body.toString('utf8'));
}
