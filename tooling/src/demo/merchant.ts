import { lastWithin } from '@payonce/testkit/machine/poll';
import type { Row } from './scenes.js';

/** The events that the merchant's system received, read from it: see examples/consumer. */
interface ConsumerState {
  /** Requests without its signature. */
  readonly refused: number;
  /** Newest first. */
  readonly events: readonly {
    readonly type: string;
    readonly data: { readonly orderNumber: string | null; readonly reason?: string };
  }[];
}

/** The result of the demonstration at the merchant's system. */
export interface Received {
  /** Order events of these rows' orders. */
  readonly count: number;
  readonly refused: number;
  /** In order of arrival. */
  of(row: Row): readonly string[];
}

const LIMIT_MS = 20_000;

/**
 * Waits until the merchant has the expected events of every row.
 * @returns after the limit the events so far
 */
export function receivedEvents(consumerUrl: string, rows: readonly Row[]): Promise<Received> {
  return lastWithin(
    LIMIT_MS,
    async () => receivedFrom(await ask(consumerUrl), rows),
    (received) => rows.every((row) => hasExpectedEvents(row, received)),
  );
}

/**
 * Exactly the expected ones, an order's events in sequence. The time of a notification's event
 * relative to an order's is not guaranteed.
 */
export function hasExpectedEvents(row: Row, received: Received): boolean {
  const isOfOrder = (name: string) => name.startsWith('order.');
  const inParts = (names: readonly string[]) =>
    [...names.filter(isOfOrder), '', ...names.filter((name) => !isOfOrder(name))].join();
  return inParts(received.of(row)) === inParts(row.events);
}

function receivedFrom({ refused, events }: ConsumerState, rows: readonly Row[]): Received {
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

export async function ask(consumerUrl: string): Promise<ConsumerState> {
  const response = await fetch(`${consumerUrl}/events`, { signal: AbortSignal.timeout(5_000) });
  return (await response.json()) as ConsumerState;
}
