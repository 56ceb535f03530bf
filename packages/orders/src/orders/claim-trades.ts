import type { Fact } from '@payonce/providers/fact';
import type { Tx } from '../database/transaction.js';
import { type FactRow, factsByOrder, readFacts, selectFacts } from './fact-rows.js';
import { resolveTakenTrades, type TradeOwners } from './taken-trades.js';
import { claimKey, type TradeClaim, tradeKey } from './trade-claim.js';
import { type InsertedTrade, insertTrades } from './trade-rows.js';

/** The owners of trades, and the facts of orders. */
export interface OwnersAndFacts extends TradeOwners {
  readonly facts: ReadonlyMap<bigint, readonly Fact[]>;
}

/**
 * Claims trades, first come, first served within each merchant, and reads the facts of these
 * orders. One statement does both. It begins after the orders were locked, so that it sees facts
 * committed meanwhile.
 */
export async function claimTrades(
  tx: Tx,
  now: Date,
  claims: readonly TradeClaim[],
  orderIds: readonly bigint[],
): Promise<OwnersAndFacts> {
  if (claims.length === 0) {
    return { owners: new Map(), contested: new Set(), facts: await readFacts(tx, orderIds) };
  }
  const sorted = inClaimOrder(claims);
  const [row] = await tx.$queryRaw<{ inserted: InsertedTrade[] | null; facts: FactRow[] | null }[]>`
    WITH inserted AS (${insertTrades(now, sorted)})
    SELECT (SELECT json_agg(inserted) FROM inserted) AS inserted, ${selectFacts(orderIds)} AS facts`;
  const facts = factsByOrder(orderIds, row?.facts ?? []);
  const firsts = new Map(
    (row?.inserted ?? []).map((trade) => [tradeKey(trade), BigInt(trade.orderId)]),
  );
  const isFirst = (claim: TradeClaim) => firsts.get(tradeKey(claim)) === claim.orderId;
  const owners = new Map(
    sorted.filter(isFirst).map((claim) => [claimKey(claim), claim.orderId] as const),
  );
  const taken = sorted.filter((claim) => !isFirst(claim));
  if (taken.length === 0) return { owners, contested: new Set(), facts };
  const resolved = await resolveTakenTrades(tx, now, taken, facts);
  const all = new Map([...owners, ...resolved.owners]);
  return { owners: all, contested: resolved.contested, facts };
}

/** By `claimKey`: the order in which all transactions make claims. */
function inClaimOrder(claims: readonly TradeClaim[]): TradeClaim[] {
  const keyed = claims.map((claim) => ({ claim, key: claimKey(claim) }));
  keyed.sort((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -1 : 1));
  return keyed.map(({ claim }) => claim);
}
