/**
 * All errors that payonce creates: the code, and a sentence that anyone may see. Expected outcomes
 * (a forged signature, an unknown order) are values. An error exists so that its receiver can
 * decide on a retry.
 */
export const ERRORS = {
  invalid_configuration: 'The configuration is not valid.',
  queue_unavailable: 'The queue does not take notifications at the moment.',
  database_unavailable: 'The database does not respond at the moment.',
  deadline_exceeded: 'The operation took too long.',
  locked: 'Another transaction holds the lock at the moment.',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** `message` is the public sentence; `detail` and `cause` explain the failure in the log. */
export class AppError extends Error {
  readonly code: ErrorCode;
  /** For logs only; never a secret. */
  readonly detail: string | null;

  constructor(
    code: ErrorCode,
    options: { readonly detail?: string; readonly cause?: unknown } = {},
  ) {
    super(ERRORS[code], options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = options.detail ?? null;
  }
}

/** All faults of the configuration at once, by the setting's name, never with a value. */
export class ConfigError extends AppError {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super('invalid_configuration', { detail: faults.join('; ') });
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** For the output of a command: all that a person needs to mend it. */
export function linesOf(error: unknown): readonly string[] {
  return error instanceof ConfigError ? error.faults : [messageOf(error)];
}

/** Whether another transaction has locked it: retry a little later. */
export function isLocked(error: unknown): boolean {
  return error instanceof AppError && error.code === 'locked';
}

/** The text of any thrown value. */
export function messageOf(thrown: unknown): string {
  // If a name has several addresses and none responds, Node's error has no message.
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(messageOf).join(', ');
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
