import type { NewJob } from './job.js';

/**
 * Where the gateway leaves what it verified. One store behind it, or two (a standby wraps two of them):
 * the gateway cannot tell.
 */
export interface NotificationQueue {
  /** For metrics and readiness, e.g. `redis`. */
  readonly name: string;
  /** The state as last seen. Reading it asks nobody. */
  readonly state: QueueState;
  /**
   * Resolves when the job is durable, or was already there under its ID. Gives up after `limitMs`; an
   * abandoned job may still land, which is harmless: the worker applies what comes twice once.
   * @returns the name of the store that has it
   * @throws AppError `queue_unavailable` or `deadline_exceeded`
   */
  enqueue(job: NewJob, limitMs: number): Promise<string>;
  close(): Promise<void>;
}

export type QueueState =
  | { readonly state: 'ready' }
  /** Not connected yet, or connected and not yet known to keep what it is given. */
  | { readonly state: 'starting' }
  /** Unreachable, or reachable and not durable; `reason` is for operators. */
  | { readonly state: 'down'; readonly reason: string };

/** One line of text, for readiness answers and logs. */
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
