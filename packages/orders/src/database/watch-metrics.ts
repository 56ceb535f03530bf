import type { Metrics } from '@payonce/core/runtime/metrics';
import { Gauge } from 'prom-client';
import type { DatabaseWatch } from './database-watch.js';

/** Gauges of the orders' database. They are absent rather than zero before its first answer. */
export function showDatabaseWatch(metrics: Metrics, watch: DatabaseWatch): void {
  new Gauge({
    name: 'payonce_database_clock_difference_seconds',
    help: "The clock of this process minus the database's. Alarm beyond 60 either way: no schedule runs.",
    registers: [metrics],
    collect() {
      this.remove();
      const difference = watch.differenceMs();
      if (difference !== null) this.set(difference / 1_000);
    },
  });
}
