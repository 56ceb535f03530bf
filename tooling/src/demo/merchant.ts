import type { Row } from './rows.js';

/** The events that the merchant's system took, read from it: see examples/consumer. */
interface Taken {
  /** Requests without its signature. */
  readonly refused: number;
  /** Newest first. */
  readonly events: readonly {
    readonly type: string;
    readonly data: { readonly orderNumber: string | null; readonly reason?: string };
  }[];
}

/** The result of the demonstration at the merchant's system. */
export interface Told {
  /** Order events of these rows' orders. */
  readonly count: number;
  readonly refused: number;
  /** In order of arrival. */
  of(row: Row): readonly string[];
}

const TOLD_LIMIT_MS = 20_000;
const LOOK_AGAIN_MS = 100;

/**
 * Waits until the merchant has the expected events of every row.
 * @returns after the limit the events so far
 */
export async function toldOf(consumerUrl: string, rows: readonly Row[]): Promise<Told> {
  const end = Date.now() + TOLD_LIMIT_MS;
  for (;;) {
    const told = toldAs(await take(consumerUrl), rows);
    if (rows.every((row) => isToldRight(row, told)) || Date.now() > end) return told;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** Exactly the expected ones, an order's events in sequence. */
export function isToldRight(row: Row, told: Told): boolean {
  const [orders, notices] = [ofOrder, ofNotification].map(
    (kind) => (names: readonly string[]) => names.filter(kind).join(),
  );
  const names = told.of(row);
  return [orders, notices].every((pick) => pick?.(names) === pick?.(row.told));
}

function ofOrder(name: string): boolean {
  return name.startsWith('order.');
}

/** The time of a notification's event relative to an order's is not guaranteed. */
function ofNotification(name: string): boolean {
  return !ofOrder(name);
}

function toldAs({ refused, events }: Taken, rows: readonly Row[]): Told {
  const numbers = new Set(rows.map(({ order }) => order));
  const concerned = events.filter(({ data }) => numbers.has(data.orderNumber ?? '')).toReversed();
  return {
    count: concerned.length,
    refused,
    of: ({ order }) =>
      concerned
        .filter(({ data }) => data.orderNumber === order)
        .map(({ type, data }) => (data.reason === undefined ? type : `${type}: ${data.reason}`)),
  };
}

export async function take(consumerUrl: string): Promise<Taken> {
  const response = await fetch(`${consumerUrl}/events`, { signal: AbortSignal.timeout(5_000) });
  return (await response.json()) as Taken;
}
