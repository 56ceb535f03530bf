/** The levels at which an event may be logged; `trace` is not used. */
export type EventLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug';

/**
 * Every event that a process logs, with its level. The name is the `msg` of the line, and never
 * changes with the circumstances: those are fields. docs/logs.md says what each means; a test
 * compares the two.
 */
export const LOG_EVENTS = {
  // Any process
  'process.configured': 'info',
  'process.misconfigured': 'fatal',
  'process.started': 'info',
  'process.start_failed': 'fatal',
  'process.crashed': 'fatal',
  'process.stopping': 'info',
  'process.part_stopped': 'debug',
  'process.part_stop_failed': 'warn',
  'process.second_signal': 'warn',
  'process.stop_failed': 'error',
  'process.stop_timed_out': 'error',
  'process.stopped': 'info',
  'channels.reloaded': 'info',
  'channels.reload_failed': 'error',
  'request.failed': 'error',

  // The queue
  'queue.ready': 'info',
  'queue.down': 'error',
  'queue.standby_took_over': 'warn',
  'queue.first_store_returned': 'info',
  'queue.standby_missing': 'warn',
  'queue.durability_unchecked': 'warn',
  'queue.shard_found': 'info',
  'queue.shard_search_failed': 'debug',
  'queue.old_stays': 'info',
  'queue.old_dropped': 'info',
  'queue.old_search_failed': 'debug',
  'queue.open_failed': 'warn',
  'queue.open_abandoned': 'debug',
  'queue.error': ['warn', 'debug'],
  'queue.check_failed': 'warn',
  'queue.consumer_started': 'info',
  'queue.consumer_paused': 'info',
  'queue.consumer_stopped': 'error',
  'jobs.stuck': 'error',
  'jobs.taken_again': 'info',
  'jobs.retried': 'warn',
  'jobs.replayed': 'warn',
  'jobs.promoted': 'warn',

  // The gateway
  'notification.received': ['debug', 'info', 'warn'],
  'proxy.not_trusted': 'warn',
  'request.limited': 'debug',
  'key.expired': 'warn',
  'key.expires_soon': 'warn',
  'clock.differs_from_provider': 'warn',
  'reports.send_failed': ['warn', 'debug'],
  'reports.send_recovered': 'info',

  // The worker: notifications
  'notification.missing': 'error',
  'notification.found': 'info',
  'notifications.applied': 'info',
  'notifications.not_applied': 'warn',
  'notification.apply_failed': 'error',
  'batch.hangs': 'error',
  'batch.recovered': 'info',
  'held.retried': 'info',
  'held.retry_failed': 'warn',
  'held.release_failed': 'error',
  'held.apply_failed': 'error',
  'held.overdue': 'warn',
  'held.redecoded': 'info',
  'held.redecode_failed': 'error',
  'trade.flag_failed': 'warn',
  'dead_letter.written': 'error',
  'dead_letter.write_failed': 'warn',
  'dead_letter.redriven': 'info',
  'dead_letter.died_again': 'error',
  'dead_letters.redriven': 'info',
  'report.dropped': 'warn',
  'retention.purged': 'info',
  'retention.failed': 'warn',
  'schedule.failed': 'warn',

  // The worker: deliveries
  'endpoints.declared': 'info',
  'endpoints.declare_failed': 'warn',
  'endpoints.reload_failed': 'error',
  'endpoints.secrets_unavailable': 'warn',
  'endpoint.not_used': 'error',
  'endpoint.cannot_sign': 'error',
  'endpoint.disabled': 'error',
  'deliveries.search_failed': 'warn',
  'deliveries.search_recovered': 'info',
  'deliveries.redated': 'warn',
  'delivery.attempted': ['debug', 'info'],
  'delivery.not_recorded': 'warn',

  // The orders' database
  'database.ready': 'info',
  'database.not_ready': 'warn',
  'database.unavailable': ['warn', 'debug'],
  'database.rewound': 'error',
  'database.position_unknown': 'debug',
  'database.position_unavailable': 'warn',
  'database.connection_lost': 'warn',
  'database.durability_unchecked': 'warn',
  'database.contention': 'warn',
  'clock.differs_from_database': 'warn',
  'clock.agrees_with_database': 'info',

  // The console
  'login.accepted': 'info',
  'login.rejected': 'warn',
  'proxy_user.invalid': 'warn',
  'response.not_stored': 'warn',
  'overview.read_failed': 'warn',
} as const satisfies Record<string, EventLevel | readonly EventLevel[]>;

export type LogEvent = keyof typeof LOG_EVENTS;

/** The events that the table allows at a level. */
export type EventAt<Level extends EventLevel> = {
  [Event in LogEvent]: Level extends LevelsOf<(typeof LOG_EVENTS)[Event]> ? Event : never;
}[LogEvent];

type LevelsOf<Entry> = Entry extends readonly (infer Level)[] ? Level : Entry;
