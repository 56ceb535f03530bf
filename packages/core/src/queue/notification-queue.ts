import type { NewJob } from './job.js';

/**
 * Takes the notifications that the gateway verified. One store, or two behind a standby: the
 * gateway cannot see the difference.
 */
export interface NotificationQueue {
  /** For metrics and readiness, e.g. `redis`. */
  readonly name: string;
  /** The last known state. Reading it asks nothing. */
  readonly state: QueueState;
  /**
   * Resolves when the job is durable, or was already there under its ID. Gives up after `limitMs`.
   * An abandoned job may still arrive, which is harmless: the worker applies a repeated job once.
   * @returns the name of the store that has it
   * @throws AppError `queue_unavailable` or `deadline_exceeded`
   */
  enqueue(job: NewJob, limitMs: number): Promise<string>;
  close(): Promise<void>;
}

export type QueueState =
  | { readonly state: 'ready' }
  /** Not connected yet, or connected and its durability not yet checked. */
  | { readonly state: 'starting' }
  /** Unreachable, or reachable and not durable; `reason` is for operators. */
  | { readonly state: 'down'; readonly reason: string };

export function isReady({ state }: Pick<NotificationQueue, 'state'>): boolean {
  return state.state === 'ready';
}

/** One line of text, for readiness responses and logs. */
export function describeState(state: QueueState): string {
  return state.state === 'down' ? `down: ${state.reason}` : state.state;
}

/** Ready while any of them is. */
export function anyReady(queues: readonly Pick<NotificationQueue, 'name' | 'state'>[]): QueueState {
  const state = (['ready', 'starting'] as const).find((wanted) =>
    queues.some(({ state }) => state.state === wanted),
  );
  if (state) return { state };
  const reasons = queues.map(({ name, state }) => `${name} is ${describeState(state)}`);
  return { state: 'down', reason: reasons.join('; ') };
}
