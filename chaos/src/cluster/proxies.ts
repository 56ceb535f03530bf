import { type FaultProxy, startFaultProxy } from '@payonce/testkit/faults/proxy';
import { jobIdScanner } from '@payonce/testkit/sending/job-ids';
import { now } from '../clock.js';
import type { StoreAdd } from '../history/history.js';

/**
 * The proxy on every link between two processes; the n-th of a list belongs to the n-th gateway
 * or worker.
 */
export interface Proxies {
  readonly notify: readonly FaultProxy[];
  /** From the workers to the merchant's system. */
  readonly webhooks: readonly FaultProxy[];
  readonly gatewayRedis: readonly FaultProxy[];
  readonly gatewayPostgres: readonly FaultProxy[];
  readonly workerRedis: readonly FaultProxy[];
  /** To its queue in PostgreSQL. */
  readonly workerPostgres: readonly FaultProxy[];
  /** To the orders. */
  readonly workerOrders: readonly FaultProxy[];
}

export interface ProxyTargets {
  readonly gatewayPorts: readonly number[];
  readonly workers: number;
  readonly consumerPort: number;
  readonly redisPort: number;
  readonly postgresPort: number;
  /** Called with every job ID that passes from a gateway to a store. */
  readonly onAdd: (add: StoreAdd) => void;
}

export async function openProxies(targets: ProxyTargets): Promise<Proxies> {
  const { gatewayPorts, redisPort, postgresPort, onAdd } = targets;
  const opened: FaultProxy[] = [];
  const open = async (targetPort: number, store?: StoreAdd['store']) => {
    const watch = store && (() => jobIdScanner((jobId) => onAdd({ at: now(), store, jobId })));
    const proxy = await startFaultProxy({ targetPort, ...(watch && { watch }) });
    opened.push(proxy);
    return proxy;
  };
  const each = (count: number, port: number, store?: StoreAdd['store']) =>
    Promise.all(Array.from({ length: count }, () => open(port, store)));
  const { length: gateways } = gatewayPorts;
  try {
    return {
      notify: await Promise.all(gatewayPorts.map((port) => open(port))),
      webhooks: await each(1, targets.consumerPort),
      gatewayRedis: await each(gateways, redisPort, 'redis'),
      gatewayPostgres: await each(gateways, postgresPort, 'postgres'),
      workerRedis: await each(targets.workers, redisPort),
      workerPostgres: await each(targets.workers, postgresPort),
      workerOrders: await each(targets.workers, postgresPort),
    };
  } catch (error) {
    await Promise.all(opened.map((proxy) => proxy.close()));
    throw error;
  }
}

export function allOf(proxies: Proxies): FaultProxy[] {
  return Object.values(proxies).flat();
}
