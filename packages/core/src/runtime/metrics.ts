import { collectDefaultMetrics, Registry } from 'prom-client';

export type Metrics = Registry;

/**
 * The metrics of one process, including Node's. Uses a separate registry: prom-client's global one
 * stays empty.
 */
export function createMetrics(processName: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process: processName });
  collectDefaultMetrics({ register: registry });
  return registry;
}
