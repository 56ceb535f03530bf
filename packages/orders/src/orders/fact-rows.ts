import { type Fact, factKey } from '@payonce/providers/fact';

/** A fact as read from the database: a row of JSON, bigint as text, times as ISO 8601. */
export interface FactRow {
  readonly orderId: string;
  readonly kind: string;
  readonly rail: string | null;
  readonly trade: string | null;
  readonly refundId: string | null;
  readonly refundStatus: string | null;
  readonly amount: string | null;
  readonly at: string | null;
  readonly auditId: string | null;
  readonly releaseAuditId: string | null;
}

/** In the form that `recordset` takes. */
export function factToRow(orderId: bigint, fact: Fact) {
  return {
    order_id: String(orderId),
    key: factKey(fact),
    kind: fact.kind,
    rail: fact.kind === 'closed' ? (fact.by === 'merchant' ? null : fact.by) : fact.rail,
    trade: fact.trade,
    refund_id: fact.kind === 'refund' ? fact.refundId : null,
    refund_status: fact.kind === 'refund' ? fact.status : null,
    amount: 'amount' in fact ? String(fact.amount) : null,
    at: fact.at,
    audit_id: 'auditId' in fact ? fact.auditId : null,
    release_audit_id: fact.kind === 'reinstated' ? fact.releaseAuditId : null,
  };
}

/**
 * The constraint `facts_whole` keeps the columns of a kind together, so only types are restored
 * here.
 */
export function factFromRow(row: FactRow): Fact {
  const { kind, rail, trade } = row;
  const amount = row.amount === null ? null : BigInt(row.amount);
  const at = row.at === null ? null : new Date(row.at);
  switch (kind) {
    case 'paid':
      return { kind, rail, trade, amount, at } as Fact;
    case 'refund':
      return {
        kind,
        rail,
        trade,
        refundId: row.refundId,
        status: row.refundStatus,
        amount,
        at,
      } as Fact;
    case 'refund_total':
      return { kind, rail, trade, amount, at } as Fact;
    case 'finished':
      return { kind, rail, trade, at } as Fact;
    case 'closed':
      return { kind, by: rail ?? 'merchant', trade, at } as Fact;
    case 'operator':
      return { kind, auditId: row.auditId, rail, trade, amount, at } as Fact;
    case 'contested':
      return { kind, rail, trade, at: null } as Fact;
    case 'released':
      return { kind, auditId: row.auditId, rail, trade, at } as Fact;
    case 'reinstated':
      return {
        kind,
        auditId: row.auditId,
        releaseAuditId: row.releaseAuditId,
        rail,
        trade,
        at,
      } as Fact;
    default:
      throw new Error(`the database holds a fact of an unknown kind: ${kind}`);
  }
}
