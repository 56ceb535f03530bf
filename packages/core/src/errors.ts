/**
 * Every error that we make ourselves: its code and the sentence that may be shown to anyone.
 * Outcomes that are expected (a forged signature, an unknown order) are values, not errors; an error
 * exists so that somebody can decide whether to try again.
 */
export const ERRORS = {
  invalid_configuration: 'The configuration is not valid.',
  queue_unavailable: 'The queue does not take notifications at the moment.',
  database_unavailable: 'The database does not answer at the moment.',
  deadline_exceeded: 'The operation took too long.',
  locked: 'Another transaction holds the lock at the moment.',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** `message` is the public sentence; what went wrong in particular is `detail` and `cause`, for the log. */
export class AppError extends Error {
  readonly code: ErrorCode;
  /** For logs alone; never a secret. */
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

/** Whether others have it locked: the same again, a little later. */
export function isLocked(error: unknown): boolean {
  return error instanceof AppError && error.code === 'locked';
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  // Where a name has several addresses and none answers, Node's error says nothing itself.
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(messageOf).join(', ');
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
