import type { History } from '../history/history.js';
import { judgeEvents } from './events.js';
import { whyAccepted, whyDoubled, whyFalse, whyLost } from './findings.js';
import { lookupOf } from './lookup.js';
import { readStored, type Stored } from './stored.js';
import { judgeStored } from './stored-findings.js';
import type { Verdict } from './verdict.js';

/** Milliseconds since the epoch; covers sendings that began in it, excluding its end. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** The counts, and a line for a person on each finding. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly findings: readonly string[];
}

/**
 * Compares the history with the content of PostgreSQL. Call it when nothing is under way any more;
 * before that `lost` counts notifications that are not applied yet.
 * @param window limits the counted sendings, and through them notifications and orders; the oracle
 * always reads the whole history of an order
 */
export async function check(
  history: History,
  databaseUrl: string,
  window?: Window,
): Promise<Judgement> {
  return judge(history, await readStored(databaseUrl), window);
}

/** Like `check`, for rows that were read already: one read serves many windows. Pure. */
export function judge(history: History, stored: Stored, window?: Window): Judgement {
  const lookup = lookupOf(history, stored);
  const isIn = (at: number) => window === undefined || (at >= window.from && at < window.to);
  const sendings = history.sendings.filter(({ startedAt }) => isIn(startedAt));
  const sent = [...new Set(sendings.flatMap(({ key }) => lookup.notifications.get(key) ?? []))];
  const concerned = new Set(sent.map(({ orderNumber }) => orderNumber));
  const orders = window
    ? history.orders.filter(({ number }) => concerned.has(number))
    : history.orders;
  const acknowledged = sent.filter(({ key, forged }) => !forged && lookup.acknowledged.has(key));

  const lost = acknowledged.flatMap((notification) => whyLost(lookup, notification));
  const doubled = orders.flatMap((order) => whyDoubled(lookup, order));
  const falsely = sendings.flatMap((sending) => whyFalse(lookup, sending));
  const forged = sent.flatMap((notification) => whyAccepted(lookup, notification));
  const events = judgeEvents(
    lookup,
    orders,
    history.arrivals.filter(({ at }) => isIn(at)),
  );
  const genuine = sent.filter((notification) => !notification.forged);
  const delays = history.delays.filter(({ at }) => isIn(at));
  const store = judgeStored(lookup, genuine, orders, delays);
  return {
    verdict: {
      sent: sent.length,
      acknowledged: acknowledged.length,
      applied: acknowledged.length - lost.length,
      lost: lost.length,
      doubled: doubled.length,
      falselyAcknowledged: falsely.length,
      forgedAccepted: forged.length,
      ...events.verdict,
      ...store.verdict,
    },
    findings: [...lost, ...doubled, ...falsely, ...forged, ...events.findings, ...store.findings],
  };
}
