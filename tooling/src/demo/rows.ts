import type { Held } from './ledger.js';

/** One row of the table. */
export interface Row {
  readonly cameIn: string;
  readonly acknowledged: string;
  readonly became: string;
  readonly asItMustBe: boolean;
  readonly order: string;
  /** The expected events: `order.paid`, `notification.held: unknown_order`. */
  readonly told: readonly string[];
}

export function row(
  order: string,
  cameIn: string,
  acknowledged: number,
  held: Held,
  must: (held: Held) => boolean,
  sent = 1,
): Row {
  return {
    cameIn,
    acknowledged: `${acknowledged} of ${sent}`,
    became: shown(held),
    asItMustBe: acknowledged === sent && must(held),
    order,
    told: mustTell(held),
  };
}

/** Each milestone of the order, in sequence, and each held notification. */
export function mustTell({ status, paidAmount, refundedAmount, outcomes }: Held): string[] {
  return [
    ...(BigInt(paidAmount ?? 0) > 0n ? ['order.paid'] : []),
    ...(BigInt(refundedAmount ?? 0) > 0n ? [`order.${status}`] : []),
    ...outcomes.flatMap((one) => (one.startsWith('held: ') ? [`notification.${one}`] : [])),
  ];
}

export function count({ outcomes }: Held, outcome: string): number {
  return outcomes.filter((one) => one === outcome).length;
}

export function only({ outcomes }: Held, outcome: string): boolean {
  return outcomes.length === 1 && outcomes[0] === outcome;
}

export function shown(held: Held): string {
  return `${held.outcomes.join(', ') || 'nothing'}; ${described(held)}`;
}

export function described({ status, paidAmount, refundedAmount }: Held): string {
  if (status === null) return 'no such order';
  const back = refundedAmount === '0' ? '' : `, ${yuan(refundedAmount)} of it back`;
  return paidAmount === '0' ? `order ${status}` : `order ${status} ${yuan(paidAmount)}${back}`;
}

function yuan(fen: string | null): string {
  const digits = (fen ?? '0').padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
