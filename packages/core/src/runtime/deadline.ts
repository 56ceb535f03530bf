import { AppError } from './errors.js';

/**
 * Waits for `work` at most `limitMs`. It does not stop the work: whatever the work does later must
 * be harmless.
 * @throws AppError `deadline_exceeded`, or the error of `work`
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
