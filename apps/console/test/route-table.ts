/** Every route: the rights that it needs, and a request for rows of one merchant. */
import type { Role } from '@payonce/orders/access/api-keys';
import type { Stock } from './stock.js';

/**
 * What a route requires of the caller's merchants; `public`: it does not even identify the caller.
 */
export type Whose = 'public' | 'none' | 'all' | 'listed' | 'row' | 'named';

export interface RouteEntry {
  readonly whose: Whose;
  readonly role: Role;
  /** Below `/v1` for the API. */
  readonly url: (of: Stock) => string;
  readonly payload?: (of: Stock) => Readonly<Record<string, unknown>>;
  /** The statuses for callers with access; 200 by default. */
  readonly serves?: readonly number[];
}

const reason = { reason: 'seen on the statement' };
const asking = () => ({});
const deciding = () => reason;
const fixed = (url: string) => () => url;
/** Each call creates another one. */
let made = 0;
const next = () => {
  made += 1;
  return made;
};

const ofOrder = ({ order, merchant }: Stock, verb = '') =>
  `/v1/orders/${order}${verb}?merchant=${merchant}`;

/** The trade that pays the order. */
const tradeOf = ({ mark }: Stock) => `/trades/alipay/${mark}-paid`;

export const API: Readonly<Record<string, RouteEntry>> = {
  'GET /v1/openapi.json': { whose: 'none', role: 'read', url: fixed('/v1/openapi.json') },
  'GET /v1/orders': { whose: 'listed', role: 'read', url: fixed('/v1/orders') },
  'POST /v1/orders': {
    ...{ whose: 'named', role: 'operate', url: fixed('/v1/orders'), serves: [201] },
    payload: ({ merchant, mark }) => ({
      ...{ merchant, orderNumber: `${mark}-new-${next()}`, amount: '8888' },
    }),
  },
  'GET /v1/orders/{number}': { whose: 'row', role: 'read', url: (of) => ofOrder(of) },
  'GET /v1/orders/{number}/timeline': {
    ...{ whose: 'row', role: 'read', url: (of) => ofOrder(of, '/timeline') },
  },
  'POST /v1/orders/{number}/close': {
    ...{ whose: 'row', role: 'operate', url: (of) => ofOrder(of, '/close') },
    // It is paid.
    ...{ payload: asking, serves: [409] },
  },
  'GET /v1/orders/{number}/trades/{rail}/{trade}/release': {
    ...{ whose: 'row', role: 'operate', url: (of) => ofOrder(of, `${tradeOf(of)}/release`) },
  },
  'POST /v1/orders/{number}/trades/{rail}/{trade}/release': {
    ...{ whose: 'row', role: 'operate', url: (of) => ofOrder(of, `${tradeOf(of)}/release`) },
    ...{ payload: deciding },
  },
  'GET /v1/orders/{number}/trades/{rail}/{trade}/reinstate': {
    ...{ whose: 'row', role: 'operate', url: (of) => ofOrder(of, `${tradeOf(of)}/reinstate`) },
    // Not released, since callers come in any order.
    ...{ serves: [200, 409] },
  },
  'POST /v1/orders/{number}/trades/{rail}/{trade}/reinstate': {
    ...{ whose: 'row', role: 'operate', url: (of) => ofOrder(of, `${tradeOf(of)}/reinstate`) },
    ...{ payload: deciding, serves: [200, 409] },
  },
  'GET /v1/notifications': { whose: 'listed', role: 'read', url: fixed('/v1/notifications') },
  'GET /v1/notifications/{id}': {
    ...{ whose: 'row', role: 'read', url: (of) => `/v1/notifications/${of.notification}` },
  },
  'GET /v1/notifications/{id}/timeline': {
    ...{ whose: 'row', role: 'read', url: (of) => `/v1/notifications/${of.notification}/timeline` },
  },
  'GET /v1/notifications/{id}/raw': {
    ...{ whose: 'row', role: 'admin', url: (of) => `/v1/notifications/${of.notification}/raw` },
  },
  'POST /v1/notifications/{id}/events/{position}/retry': {
    ...{ whose: 'row', role: 'operate', payload: asking },
    url: (of) => `/v1/notifications/${of.held[0]}/events/0/retry`,
  },
  'POST /v1/notifications/{id}/events/{position}/accept': {
    ...{ whose: 'row', role: 'operate', payload: deciding },
    url: (of) => `/v1/notifications/${of.held[1]}/events/0/accept`,
  },
  'POST /v1/notifications/{id}/events/{position}/reject': {
    ...{ whose: 'row', role: 'operate', payload: deciding },
    url: (of) => `/v1/notifications/${of.held[2]}/events/0/reject`,
  },
  'GET /v1/held-events': { whose: 'listed', role: 'read', url: fixed('/v1/held-events') },
  'POST /v1/held-events/plan': {
    ...{ whose: 'listed', role: 'operate', url: fixed('/v1/held-events/plan') },
    payload: () => ({ action: 'retry' }),
  },
  'POST /v1/held-events/execute': {
    ...{ whose: 'listed', role: 'operate', url: fixed('/v1/held-events/execute') },
    // The digest of another plan.
    ...{ payload: () => ({ action: 'retry', plan: '0'.repeat(64) }), serves: [409] },
  },
  'GET /v1/events': { whose: 'listed', role: 'read', url: fixed('/v1/events') },
  'GET /v1/events/{id}': {
    ...{ whose: 'row', role: 'read', url: (of) => `/v1/events/${of.orderEvent}` },
  },
  'POST /v1/events/{id}/redeliver': {
    ...{ whose: 'row', role: 'operate', url: (of) => `/v1/events/${of.orderEvent}/redeliver` },
    payload: asking,
  },
  'GET /v1/deliveries': { whose: 'listed', role: 'read', url: fixed('/v1/deliveries') },
  'POST /v1/deliveries/{id}/redeliver': {
    ...{ whose: 'row', role: 'operate', url: (of) => `/v1/deliveries/${of.delivery}/redeliver` },
    payload: asking,
  },
  'POST /v1/deliveries/{id}/reject': {
    ...{ whose: 'row', role: 'operate', url: (of) => `/v1/deliveries/${of.delivery}/reject` },
    payload: deciding,
  },
  'GET /v1/endpoints': { whose: 'listed', role: 'read', url: fixed('/v1/endpoints') },
  'POST /v1/endpoints': {
    ...{ whose: 'named', role: 'admin', url: fixed('/v1/endpoints'), serves: [201] },
    payload: ({ merchant, mark }) => ({
      ...{ merchant, name: `${mark}-${next()}`, url: 'https://shop.example/' },
    }),
  },
  'GET /v1/endpoints/{id}': {
    ...{ whose: 'row', role: 'read', url: (of) => `/v1/endpoints/${of.endpoint}` },
  },
  'PATCH /v1/endpoints/{id}': {
    ...{ whose: 'row', role: 'admin', url: (of) => `/v1/endpoints/${of.endpoint}` },
    payload: () => ({ eventTypes: ['order.paid'] }),
  },
  'POST /v1/endpoints/{id}/rotate-secret': {
    ...{ whose: 'row', role: 'admin', url: (of) => `/v1/endpoints/${of.endpoint}/rotate-secret` },
    payload: asking,
  },
  'POST /v1/endpoints/{id}/disable': {
    ...{ whose: 'row', role: 'operate', url: (of) => `/v1/endpoints/${of.endpoint}/disable` },
    payload: asking,
  },
  'POST /v1/endpoints/{id}/enable': {
    ...{ whose: 'row', role: 'operate', url: (of) => `/v1/endpoints/${of.endpoint}/enable` },
    payload: asking,
  },
  'DELETE /v1/endpoints/{id}': {
    ...{ whose: 'row', role: 'admin', url: (of) => `/v1/endpoints/${of.doomed.pop()}` },
    serves: [204],
  },
  'GET /v1/dead-letters': { whose: 'all', role: 'read', url: fixed('/v1/dead-letters') },
  'GET /v1/dead-letters/{id}': { whose: 'all', role: 'read', url: fixed('/v1/dead-letters/1') },
  'POST /v1/dead-letters/{id}/redrive': {
    ...{ whose: 'all', role: 'operate', url: fixed('/v1/dead-letters/1/redrive') },
    payload: asking,
  },
  'POST /v1/dead-letters/{id}/dismiss': {
    ...{ whose: 'all', role: 'operate', url: fixed('/v1/dead-letters/2/dismiss') },
    payload: deciding,
  },
  'GET /v1/stats': { whose: 'all', role: 'read', url: fixed('/v1/stats') },
  'GET /v1/audit': { whose: 'all', role: 'read', url: fixed('/v1/audit') },
  'GET /v1/channels': { whose: 'all', role: 'read', url: fixed('/v1/channels'), serves: [503] },
  'GET /v1/api-keys': { whose: 'all', role: 'admin', url: fixed('/v1/api-keys') },
  'POST /v1/api-keys': {
    ...{ whose: 'all', role: 'admin', url: fixed('/v1/api-keys'), serves: [201] },
    payload: () => ({ name: `made-${next()}`, role: 'read' }),
  },
  'POST /v1/api-keys/{id}/revoke': {
    ...{ whose: 'all', role: 'admin', url: fixed('/v1/api-keys/1/revoke'), payload: asking },
  },
};

const page = (whose: Whose, url: (of: Stock) => string, role: Role = 'read'): RouteEntry => ({
  ...{ whose, role, url },
});
/** A form: it leads back to a page. */
const form = (
  whose: Whose,
  url: (of: Stock) => string,
  payload: RouteEntry['payload'] = asking,
): RouteEntry => ({ whose, role: 'operate', url, payload, serves: [303] });

export const PAGES: Readonly<Record<string, RouteEntry>> = {
  // The figures cover all merchants: other callers are redirected to their orders.
  'GET /': { ...page('none', fixed('/')), serves: [200, 303] },
  'GET /held': page('listed', fixed('/held')),
  'POST /held/{id}/{position}/retry': form('row', (of) => `/held/${of.held[0]}/0/retry`),
  'GET /held/{id}/{position}/accept': {
    ...page('row', (of) => `/held/${of.held[1]}/0/accept`, 'operate'),
    // Already decided.
    serves: [200, 303],
  },
  'POST /held/{id}/{position}/accept': {
    ...form('row', (of) => `/held/${of.held[1]}/0/accept`, deciding),
  },
  'GET /held/{id}/{position}/reject': {
    ...page('row', (of) => `/held/${of.held[2]}/0/reject`, 'operate'),
    serves: [200, 303],
  },
  'POST /held/{id}/{position}/reject': {
    ...form('row', (of) => `/held/${of.held[2]}/0/reject`, deciding),
  },
  'GET /orders': page('listed', fixed('/orders')),
  'GET /orders/{merchant}/{number}': page('row', (of) => `/orders/${of.merchant}/${of.order}`),
  'GET /orders/{merchant}/{number}/trades/{rail}/{trade}/release': {
    ...page('row', (of) => `/orders/${of.merchant}/${of.order}${tradeOf(of)}/release`, 'operate'),
  },
  'POST /orders/{merchant}/{number}/trades/{rail}/{trade}/release': {
    ...form('row', (of) => `/orders/${of.merchant}/${of.order}${tradeOf(of)}/release`, deciding),
  },
  'GET /orders/{merchant}/{number}/trades/{rail}/{trade}/reinstate': {
    ...page('row', (of) => `/orders/${of.merchant}/${of.order}${tradeOf(of)}/reinstate`, 'operate'),
    // Not released, since callers come in any order.
    serves: [200, 303],
  },
  'POST /orders/{merchant}/{number}/trades/{rail}/{trade}/reinstate': {
    ...form('row', (of) => `/orders/${of.merchant}/${of.order}${tradeOf(of)}/reinstate`, deciding),
  },
  'GET /notifications': page('listed', fixed('/notifications')),
  'GET /notifications/{id}': page('row', (of) => `/notifications/${of.notification}`),
  'GET /deliveries': page('listed', fixed('/deliveries')),
  'GET /deliveries/{id}': page('row', (of) => `/deliveries/${of.delivery}`),
  'POST /deliveries/{id}/redeliver': form('row', (of) => `/deliveries/${of.delivery}/redeliver`),
  'GET /endpoints': page('listed', fixed('/endpoints')),
  'GET /endpoints/{id}/disable': page(
    'row',
    (of) => `/endpoints/${of.endpoint}/disable`,
    'operate',
  ),
  'POST /endpoints/{id}/disable': {
    ...form('row', (of) => `/endpoints/${of.endpoint}/disable`, deciding),
  },
  'POST /endpoints/{id}/enable': form('row', (of) => `/endpoints/${of.endpoint}/enable`),
  'POST /endpoints/{id}/redeliver-parked': {
    ...form('row', (of) => `/endpoints/${of.endpoint}/redeliver-parked`),
  },
  'GET /dead-letters': page('all', fixed('/dead-letters')),
  'GET /dead-letters/{id}': page('all', fixed('/dead-letters/1')),
  'POST /dead-letters/{id}/redrive': form('all', fixed('/dead-letters/1/redrive')),
  'GET /dead-letters/{id}/dismiss': page('all', fixed('/dead-letters/2/dismiss'), 'operate'),
  'POST /dead-letters/{id}/dismiss': form('all', fixed('/dead-letters/2/dismiss'), deciding),
  'GET /audit': page('all', fixed('/audit')),
  'GET /change-token': page('all', fixed('/change-token')),
  // It lists rows, but names nobody: `live.test.ts` has its merchants.
  'GET /held/change-token': page('none', fixed('/held/change-token')),
  'GET /orders/{merchant}/{number}/change-token': page(
    'row',
    (of) => `/orders/${of.merchant}/${of.order}/change-token`,
  ),
  'GET /notifications/{id}/change-token': page(
    'row',
    (of) => `/notifications/${of.notification}/change-token`,
  ),
  'GET /deliveries/{id}/change-token': page(
    'row',
    (of) => `/deliveries/${of.delivery}/change-token`,
  ),
  'GET /docs/json': page('none', fixed('/docs/json')),
  'GET /queues/api/queues': page('all', fixed('/queues/api/queues')),
  'GET /queues': { ...page('all', fixed('/queues')), serves: [200, 302] },
  // The last one, since it ends the session.
  'POST /logout': { ...form('none', fixed('/logout')), role: 'read' },
};

/** Open to everybody, without a merchant. */
export const PUBLIC = ['GET /login', 'POST /login', 'POST /language'];
/** Routes of other packages: below these, every address has the rights of the one in `PAGES`. */
export const FOREIGN = { '/docs': 'none', '/queues': 'all', '/assets': 'public' } as const;
