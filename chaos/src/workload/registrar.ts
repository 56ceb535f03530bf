import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import { now, pause } from '../clock.js';
import type { HistoryRecorder } from '../history/recorder.js';

/** The merchant's system: registers orders over the console's API, and retries until it works. */
export interface Registrar {
  register(order: OrderTerms): void;
  /** Registers again what was registered from a time on: a restored database has forgotten it. */
  registerAgain(since: number): void;
  /** Not known to be registered yet. */
  readonly waiting: number;
  close(): void;
}

/** Concurrent requests: an outage builds a queue and not a storm. */
const AT_ONCE = 8;
const ANSWER_LIMIT_MS = 3_000;
const RETRY_MS = 500;

export function startRegistrar(
  consoleUrl: string,
  apiKey: string,
  recorder: HistoryRecorder,
  onRefused: (why: string) => void,
): Registrar {
  const queue: OrderTerms[] = [];
  const registered: { readonly order: OrderTerms; readonly at: number }[] = [];
  let busy = 0;
  let closed = false;

  const work = async () => {
    busy += 1;
    for (let order = queue.shift(); order && !closed; order = queue.shift()) {
      while (!closed && !(await isRegistered(order))) await pause(RETRY_MS);
      registered.push({ order, at: now() });
    }
    busy -= 1;
  };
  const isRegistered = async ({ merchant, number, amount }: OrderTerms): Promise<boolean> => {
    try {
      const response = await fetch(`${consoleUrl}/v1/orders`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ merchant, orderNumber: number, amount: String(amount) }),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      await response.arrayBuffer();
      if (response.status >= 400 && response.status < 500) {
        onRefused(`the console refuses to register ${number}: ${response.status}`);
      }
      return response.ok;
    } catch {
      return false;
    }
  };

  return {
    register(order) {
      recorder.registering.add(order.number);
      queue.push(order);
      if (busy < AT_ONCE) void work();
    },
    registerAgain(since) {
      const again = registered.filter(({ at }) => at >= since).map(({ order }) => order);
      queue.push(...again);
      for (let more = Math.min(AT_ONCE - busy, again.length); more > 0; more -= 1) void work();
    },
    get waiting() {
      return queue.length + busy;
    },
    close: () => {
      closed = true;
    },
  };
}
