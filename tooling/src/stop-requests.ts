const PARENT_CHECK_MS = 500;

/** Resolves with the first request to stop: a signal, or the end of the parent process. */
export function stopRequests(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve(signal));
    }
    const parent = process.ppid;
    const check = setInterval(() => {
      if (process.ppid !== parent) resolve('the process that started it is gone');
    }, PARENT_CHECK_MS);
    check.unref();
  });
}

/** The same as a rejection, for a caller in the middle of another step. */
export function stopRequest(): Promise<never> {
  const requested = stopRequests().then((why) => {
    throw new Error(`stopped (${why})`);
  });
  requested.catch(() => {}); // it may come when nobody waits for it any more
  return requested;
}
