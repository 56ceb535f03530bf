/**
 * Long enough for a busy machine; a condition that holds returns at once, so patience costs
 * nothing.
 */
const DEADLINE_MS = 15_000;
const INTERVAL_MS = 25;

/**
 * Waits until the assertions hold, and returns their result. @throws the last failure after 15 s
 */
export async function eventually<T>(assertions: () => T | Promise<T>): Promise<T> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await assertions();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }
}
