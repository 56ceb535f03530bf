import { compile } from '@fastify/proxy-addr';
import type { CurrentChannels } from '@payonce/core/config/live-channels';
import { providers } from '@payonce/providers/registry/providers';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { createSkewWatch } from './metrics/clock-skew.js';
import { boundConnections, type ConnectionLimits } from './plugins/bound-connections.js';
import { closeConnections } from './plugins/close-connections.js';
import { limitRefusals } from './plugins/limit-refusals.js';
import { refuseUnknown } from './plugins/refuse-unknown.js';
import { WorkBudget } from './plugins/work-budget.js';
import { notifyRoutes } from './routes/notify.js';
import type { ReceiveDeps } from './routes/receive.js';

/** Signatures and a proxy's headers are under 4 KiB. */
const MAX_HEAD_BYTES = 16 * 1024;
/**
 * Providers and reverse proxies keep some dozens; below the usual limit of open files per process.
 * While a store is slow, 500 of one sender wait for their replies.
 */
const CONNECTIONS: ConnectionLimits = { most: 4_000, mostOfAddress: 500 };

/** The public server: the notify routes and nothing else. It does not listen yet. */
export function buildApp(
  options: {
    readonly channels: CurrentChannels;
    readonly trustedProxies: readonly string[];
    /** Of each address (`WorkBudget`); 0 means no limit, for all together as well. */
    readonly refusedPerMinute: number;
    readonly connections?: ConnectionLimits;
  },
  parts: Omit<ReceiveDeps, 'watchSkew'>,
): FastifyInstance {
  const deps = { ...parts, watchSkew: createSkewWatch(parts.metrics, parts.log) };
  const app = fastify({
    // `receive` logs requests with their outcome; Fastify would log headers and addresses.
    logger: false,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    // A genuine sender needs milliseconds; a slow one may not hold a socket.
    requestTimeout: 5_000,
    http: {
      headersTimeout: 2_000,
      maxHeaderSize: MAX_HEAD_BYTES,
      // How often Node looks for late requests (its default is 30 s).
      connectionsCheckingInterval: 500,
    },
    // Longer than reverse proxies usually keep idle connections (60 s), so that the proxy closes
    // them.
    keepAliveTimeout: 65_000,
    // A request that arrived before the end gets its normal reply while the server drains.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    // As long as the head of a request may be: a channel name of any length is just an unknown one.
    routerOptions: { maxParamLength: MAX_HEAD_BYTES },
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      // An address that cannot be decoded.
      deps.metrics.refused.inc({ status: '400' });
      return reply.code(400).header('connection', 'close').send();
    },
  });
  const { trustedProxies, connections = CONNECTIONS } = options;
  const trusts = compile([...trustedProxies]);
  boundConnections(app, connections, (address) => trusts(address, 0), deps.metrics);
  app.removeAllContentTypeParsers();
  closeConnections(app);
  const budget = new WorkBudget(options.refusedPerMinute, () => performance.now());
  limitRefusals(app, providers, budget, { ...deps, trustsProxies: trustedProxies.length > 0 });
  refuseUnknown(app, providers, deps.metrics);
  app.register(async (scope) => notifyRoutes(scope, providers, options.channels, deps));
  return app;
}
