import { AppError } from './errors.js';

/**
 * Waits for `work` at most `limitMs`. The work itself is not stopped: what it does later is harmless
 * or it does not belong here.
 * @throws AppError `deadline_exceeded`, or what `work` throws
 */
export async function withDeadline<Result>(
  work: Promise<Result>,
  limitMs: number,
  detail: string,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new AppError('deadline_exceeded', { detail: `${detail}: over ${limitMs} ms` })),
      limitMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
